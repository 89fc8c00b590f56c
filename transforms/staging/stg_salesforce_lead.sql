with versions as (
    select
        Id as record_id,
        Salutation as salutation,
        FirstName as first_name,
        LastName as last_name,
        Email as email,
        Phone as phone,
        MobilePhone as mobile_phone,
        Street as street,
        City as city,
        State as state,
        PostalCode as postal_code,
        Country as country,
        Company as company,
        Title as job_title,
        LeadSource as lead_source,
        cast(null as date) as birth_date,
        HasOptedOutOfEmail as opted_out,
        DoNotCall as do_not_call,
        Member_Number__c as member_number,
        cast(Campaign_Score__c as decimal(5, 1)) as campaign_score,
        Last_Open__c as last_open_at,
        case when IsConverted then ConvertedContactId end as converted_to_id,
        coalesce(IsConverted, false) as is_read_only,
        CreatedDate as created_at,
        {{ version_columns('Id', 'SystemModstamp', 'Email', ['Salutation', 'FirstName', 'LastName', 'Email', 'Phone',
            'MobilePhone', 'Street', 'City', 'State', 'PostalCode', 'Country', 'Title', 'Company']) }}
    from {{ source('salesforce', 'Lead') }}
),

newest as (
    select
        *,
        {{ changed_columns() }}
    from versions
)

select
    {{ person_columns('salesforce', 'Lead') }}
from newest
where version_rank = 1 and not is_deleted
