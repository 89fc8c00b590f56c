with versions as (
    select
        Id as record_id,
        Salutation as salutation,
        FirstName as first_name,
        LastName as last_name,
        Email as email,
        Phone as phone,
        MobilePhone as mobile_phone,
        MailingStreet as street,
        MailingCity as city,
        MailingState as state,
        MailingPostalCode as postal_code,
        MailingCountry as country,
        cast(null as varchar) as company,
        Title as job_title,
        LeadSource as lead_source,
        Birthdate as birth_date,
        HasOptedOutOfEmail as opted_out,
        DoNotCall as do_not_call,
        Member_Number__c as member_number,
        cast(Campaign_Score__c as decimal(5, 1)) as campaign_score,
        Last_Open__c as last_open_at,
        cast(null as varchar) as converted_to_id,
        false as is_read_only,
        CreatedDate as created_at,
        {{ version_columns('Id', 'SystemModstamp', 'Email', ['Salutation', 'FirstName', 'LastName', 'Email', 'Phone',
            'MobilePhone', 'MailingStreet', 'MailingCity', 'MailingState', 'MailingPostalCode', 'MailingCountry',
            'Title', 'Department', 'Birthdate']) }}
    from {{ source('salesforce', 'Contact') }}
),

newest as (
    select
        *,
        {{ changed_columns() }}
    from versions
)

select
    {{ person_columns('salesforce', 'Contact') }}
from newest
where version_rank = 1 and not is_deleted
