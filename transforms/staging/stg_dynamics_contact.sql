with versions as (
    select
        contactid as record_id,
        salutation,
        firstname as first_name,
        lastname as last_name,
        emailaddress1 as email,
        telephone1 as phone,
        mobilephone as mobile_phone,
        concat_ws(chr(10), address1_line1, address1_line2) as street,
        address1_city as city,
        address1_stateorprovince as state,
        address1_postalcode as postal_code,
        address1_country as country,
        cast(null as varchar) as company,
        jobtitle as job_title,
        cast(null as varchar) as lead_source,
        birthdate as birth_date,
        coalesce(donotbulkemail, false) or coalesce(donotemail, false) as opted_out,
        donotphone as do_not_call,
        new_membernumber as member_number,
        cast(new_campaignscore as decimal(5, 1)) as campaign_score,
        new_lastopen as last_open_at,
        cast(null as varchar) as converted_to_id,
        coalesce(merged, false) as is_merged,
        false as is_read_only,
        createdon as created_at,
        {{ version_columns('contactid', 'modifiedon', 'emailaddress1', ['salutation', 'firstname', 'lastname',
            'emailaddress1', 'telephone1', 'mobilephone', 'address1_line1', 'address1_line2', 'address1_city',
            'address1_stateorprovince', 'address1_postalcode', 'address1_country', 'jobtitle', 'department',
            'birthdate']) }}
    from {{ source('dynamics', 'contact') }}
),

newest as (
    select
        *,
        {{ changed_columns() }}
    from versions
)

select
    {{ person_columns('dynamics', 'contact') }}
from newest
where version_rank = 1 and not is_deleted and not is_merged
