with members as (
    select
        recipient_ids.recipient_id,
        recipient_ids.known_since,
        records.record_key,
        records.account,
        records.salutation,
        records.first_name,
        records.last_name,
        records.email,
        records.email_key,
        records.phone,
        records.phone_key,
        records.mobile_phone,
        records.mobile_key,
        records.street,
        records.city,
        records.state,
        records.postal_code,
        records.country,
        records.company,
        records.job_title,
        records.birth_date,
        records.do_not_call,
        records.member_number,
        records.object,
        records.created_at,
        records.content_changed_at,
        coalesce(records.email_changed_at, records.content_changed_at) as email_changed_at,
        records.given_key,
        records.surname_key,
        coalesce(addresses.is_dead, false) as is_dead
    from {{ ref('records') }} as records
    inner join {{ ref('recipient_ids') }} as recipient_ids on records.record_key = recipient_ids.record_key
    left join {{ ref('addresses') }} as addresses on records.email_key = addresses.email_key
),

agreed as (
    select
        *,
        count(*) over (partition by recipient_id, given_key, surname_key) as same_name,
        count(birth_date) over (partition by recipient_id, birth_date) as same_birth_date,
        case when street is not null then 2 else 0 end + case when postal_code is not null then 1 else 0 end
        + case when city is not null then 1 else 0 end + case when country is not null then 1 else 0 end as address_parts
    from members
),

-- for every column its own order of preference; place 1 is taken
ranked as (
    select
        *,
        row_number() over (
            partition by recipient_id order by
                case when email_key is not null and not is_dead then 0 when email_key is not null then 1
                    when email is not null then 2 else 3 end,
                email_changed_at desc nulls last, record_key
        ) as email_place,
        row_number() over (
            partition by recipient_id order by
                case when given_key is not null and surname_key is not null then 0 else 1 end,
                case when length(given_key) = 1 then 1 else 0 end,
                case when first_name || last_name in (upper(first_name || last_name), lower(first_name || last_name)) then 1 else 0 end,
                same_name desc,
                case when strip_accents(first_name || last_name) <> first_name || last_name then 0 else 1 end,
                length(coalesce(first_name, '') || coalesce(last_name, '')) desc,
                content_changed_at desc nulls last, record_key
        ) as name_place,
        row_number() over (
            partition by recipient_id order by
                case when salutation is null then 1 else 0 end, content_changed_at desc nulls last, record_key
        ) as salutation_place,
        row_number() over (
            partition by recipient_id order by
                case when phone_key is not null then 0 when phone is not null then 1 else 2 end,
                content_changed_at desc nulls last, record_key
        ) as phone_place,
        row_number() over (
            partition by recipient_id order by
                case when mobile_key is not null then 0 when mobile_phone is not null then 1 else 2 end,
                content_changed_at desc nulls last, record_key
        ) as mobile_place,
        row_number() over (
            partition by recipient_id order by address_parts desc, content_changed_at desc nulls last, record_key
        ) as address_place,
        row_number() over (
            partition by recipient_id order by
                case when company is null then 1 else 0 end, content_changed_at desc nulls last, record_key
        ) as company_place,
        row_number() over (
            partition by recipient_id order by
                case when job_title is null then 1 else 0 end, content_changed_at desc nulls last, record_key
        ) as job_place,
        row_number() over (
            partition by recipient_id order by
                case when birth_date is null then 1 else 0 end, same_birth_date desc,
                content_changed_at desc nulls last, record_key
        ) as birth_place,
        row_number() over (
            partition by recipient_id order by
                case when member_number is null then 1 else 0 end, created_at asc nulls last, record_key
        ) as member_place
    from agreed
),

merged as (
    select
        recipient_id,
        max(case when salutation_place = 1 then salutation end) as salutation,
        max(case when name_place = 1 then first_name end) as first_name,
        max(case when name_place = 1 then last_name end) as last_name,
        max(case when email_place = 1 then email end) as email,
        coalesce(bool_or(email_place = 1 and email_key is not null and not is_dead), false) as email_is_valid,
        max(case when phone_place = 1 then phone end) as phone,
        max(case when mobile_place = 1 then mobile_phone end) as mobile_phone,
        max(case when address_place = 1 then street end) as street,
        max(case when address_place = 1 then city end) as city,
        max(case when address_place = 1 then state end) as state,
        max(case when address_place = 1 then postal_code end) as postal_code,
        max(case when address_place = 1 then country end) as country,
        max(case when company_place = 1 then company end) as company,
        max(case when job_place = 1 then job_title end) as job_title,
        max(case when birth_place = 1 then birth_date end) as birth_date,
        bool_or(do_not_call) as do_not_call,
        max(case when member_place = 1 then member_number end) as member_number,
        max(case when name_place = 1 then record_key end) as main_record_key,
        count(*) as records,
        count(distinct account) as accounts,
        bool_or(object in ('Contact', 'contact')) as is_contact,
        min(created_at) as created_at,
        max(content_changed_at) as changed_at,
        min(known_since) as known_since
    from ranked
    group by recipient_id
)

select
    merged.recipient_id,
    merged.salutation,
    merged.first_name,
    merged.last_name,
    merged.email,
    merged.email_is_valid,
    merged.phone,
    merged.mobile_phone,
    merged.street,
    merged.city,
    merged.state,
    merged.postal_code,
    merged.country,
    merged.company,
    merged.job_title,
    merged.birth_date,
    opt_outs.recipient_id is not null as opted_out,
    merged.do_not_call,
    merged.member_number,
    merged.main_record_key,
    merged.records,
    merged.accounts,
    merged.is_contact,
    merged.created_at,
    merged.changed_at,
    merged.known_since
from merged
left join (select distinct recipient_id from {{ ref('opt_outs') }}) as opt_outs on merged.recipient_id = opt_outs.recipient_id
