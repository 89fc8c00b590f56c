with holders as (
    select
        email_key,
        given_key,
        given_first_key,
        surname_key,
        birth_date,
        max(given_surnames) as given_surnames,
        count(*) as records
    from {{ ref('records') }}
    where email_key is not null
    group by email_key, given_key, given_first_key, surname_key, birth_date
),

counted as (
    select
        email_key,
        sum(records) as records,
        count(distinct coalesce(given_key, '') || ' ' || coalesce(surname_key, '')) as names
    from holders
    group by email_key
),

-- two people at one address: given names or birth dates that cannot be one person's
contradicting as (
    select distinct a.email_key
    from holders as a
    inner join holders as b on a.email_key = b.email_key
    inner join counted on a.email_key = counted.email_key
    where counted.names <= {{ setting('mailbox_most_names') }}
        and (
            {{ birth_level('a', 'b') }} = 'different'
            or ({{ given_level('a', 'b') }} in ('different', 'loose') and {{ birth_level('a', 'b') }} is distinct from 'same')
            or {{ given_level('a', 'b') }} = 'different'
        )
)

select
    counted.email_key,
    counted.records,
    counted.names,
    counted.names > {{ setting('mailbox_most_names') }} as is_stand_in,
    counted.names > {{ setting('mailbox_most_names') }}
    or contradicting.email_key is not null
    or regexp_matches(counted.email_key, '^(info|office|contact|kontakt|contacto|kontor|biuro|buero|bureau|sales|vertrieb|service|support|help|hello|hallo|team|admin|mail|post|marketing|accounts?|billing|empfang|reception|sekretariat|secretary|noreply|no-reply|none|test|unknown|familie|family)([._-][a-z0-9]+)?@') as is_shared
from counted
left join contradicting on counted.email_key = contradicting.email_key
