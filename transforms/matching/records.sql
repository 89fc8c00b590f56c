{%- set columns = ['record_key', 'account', 'object', 'record_id', 'converted_to_id', 'is_read_only', 'salutation', 'first_name', 'last_name',
    'email', 'phone', 'mobile_phone', 'street', 'city', 'state', 'postal_code', 'country', 'company', 'job_title',
    'birth_date', 'opted_out', 'do_not_call', 'member_number', 'created_at', 'modified_at', 'content_changed_at',
    'email_changed_at', 'first_seen_at', 'seen_at', 'email_key', 'phone_key', 'mobile_key', 'given_key', 'given_first_key',
    'surname_key', 'street_key', 'house_key', 'city_key', 'postcode_key'] -%}
with every_record as (
    {%- for model in ['stg_salesforce_contact', 'stg_salesforce_lead', 'stg_dynamics_contact', 'stg_dynamics_lead'] %}
    select {{ columns | join(', ') }} from {{ ref(model) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

given_names as (
    select given_key, count(distinct surname_key) as surnames
    from every_record
    where given_key is not null
    group by given_key
)

select
    row_number() over (order by every_record.record_key) as record_no,
    {%- for column in columns %}
    every_record.{{ column }},
    {%- endfor %}
    {{ road_key('every_record.street_key') }} as road_key,
    {{ sound('every_record.given_key') }} as given_sound,
    {{ sound('every_record.surname_key') }} as surname_sound,
    coalesce(given_names.surnames, 0) as given_surnames
from every_record
left join given_names on every_record.given_key = given_names.given_key
