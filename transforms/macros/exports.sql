{#- One row for every record of an object that has a reason to be written: its recipient has engagement, or is opted
    out. A member number goes only into records that have none, and into one record an object. -#}
{% macro export_rows(account, object) -%}
with held as (
    select
        links.recipient_id,
        links.record_key,
        records.member_number,
        bool_or(records.member_number = recipients.member_number) over (partition by links.recipient_id) as is_held,
        row_number() over (partition by links.recipient_id order by records.created_at asc nulls last, links.record_key) as place
    from {{ ref('recipient_links') }} as links
    inner join {{ ref('records') }} as records on links.record_key = records.record_key
    inner join {{ ref('recipients') }} as recipients on links.recipient_id = recipients.recipient_id
    where links.account = '{{ account }}' and links.object = '{{ object }}'
)

select
    links.record_id as crm_id,
    links.recipient_id,
    cast(coalesce(scores.score, 0) as decimal(18, 1)) as score,
    scores.last_open_at,
    recipients.opted_out,
    case when held.member_number is null and held.place = 1 and not coalesce(held.is_held, false)
        then recipients.member_number else held.member_number end as member_number
from {{ ref('recipient_links') }} as links
inner join {{ ref('recipients') }} as recipients on links.recipient_id = recipients.recipient_id
inner join held on links.record_key = held.record_key
left join {{ ref('engagement_scores') }} as scores on links.recipient_id = scores.recipient_id
where links.account = '{{ account }}'
    and links.object = '{{ object }}'
    and not links.is_read_only
    and (scores.recipient_id is not null or recipients.opted_out)
{%- endmacro %}
