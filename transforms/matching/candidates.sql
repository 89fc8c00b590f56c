{%- set keys = [
    "'email|' || email_key",
    "'email name|' || email_key || '|' || given_key || '|' || surname_key",
    "'phone|' || phone_key",
    "'phone|' || mobile_key",
    "'phone name|' || phone_key || '|' || both_sounds",
    "'phone name|' || mobile_key || '|' || both_sounds",
    "'birth name|' || birth || '|' || given_sound",
    "'birth name|' || birth || '|' || surname_sound",
    "'birth place|' || birth || '|' || postcode_key",
    "'birth house|' || birth || '|' || house_key",
    "'birth city|' || birth || '|' || city_start",
    "'names year|' || both_sounds || '|' || birth_year",
    "'names day|' || both_sounds || '|' || birth_day",
    "'names place|' || both_sounds || '|' || postcode_key",
    "'names city|' || both_sounds || '|' || city_start",
    "'names house|' || both_sounds || '|' || house_key",
    "'name house|' || given_sound || '|' || postcode_key || '|' || house_key",
    "'name house|' || surname_sound || '|' || postcode_key || '|' || house_key",
    "'name street|' || given_sound || '|' || postcode_key || '|' || street_start",
    "'name street|' || surname_sound || '|' || postcode_key || '|' || street_start",
    "'name door|' || given_sound || '|' || street_start || '|' || house_key",
    "'name door|' || surname_sound || '|' || street_start || '|' || house_key",
    "'door|' || postcode_key || '|' || house_key || '|' || street_start"
] -%}
with sounds as (
    select
        record_no,
        email_key,
        given_key,
        surname_key,
        given_sound,
        surname_sound,
        phone_key,
        mobile_key,
        case when given_sound < surname_sound then given_sound || surname_sound else surname_sound || given_sound end as both_sounds,
        strftime(birth_date, '%Y%m%d') as birth,
        substr(strftime(birth_date, '%Y%m%d'), 1, 4) as birth_year,
        substr(strftime(birth_date, '%Y%m%d'), 5, 4) as birth_day,
        postcode_key,
        house_key,
        substr(city_key, 1, 5) as city_start,
        substr(street_key, 1, 5) as street_start
    from {{ ref('records') }}
),

-- every record under every key by which its duplicates may be found; a key with a missing part is NULL
keyed as (
    {#- unnest over a list reads the records once; not every engine can -#}
    {%- if (target.dialect | default(target.type)) in ('duckdb', 'postgres') %}
    select
        record_no,
        unnest([
            {{ keys | join(',\n            ') }}
        ]) as block_key
    from sounds
    {%- else %}
    {%- for key in keys %}
    select record_no, {{ key }} as block_key from sounds
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
    {%- endif %}
),

placed as (
    select distinct record_no, block_key from keyed where block_key is not null
),

-- a block beyond the limit says too little to be worth its pairs; the finer keys still apply to its records
blocks as (
    select block_key
    from placed
    group by block_key
    having count(*) between 2 and {{ setting('match_largest_block') }}
),

bounded as (
    select placed.record_no, placed.block_key
    from placed
    inner join blocks on placed.block_key = blocks.block_key
)

select a.record_no as record_a, b.record_no as record_b
from bounded as a
inner join bounded as b on a.block_key = b.block_key and a.record_no < b.record_no
union
-- a lead that the CRM itself converted into a contact
select least(leads.record_no, contacts.record_no), greatest(leads.record_no, contacts.record_no)
from {{ ref('records') }} as leads
inner join {{ ref('records') }} as contacts
    on leads.account = contacts.account and leads.converted_to_id = contacts.record_id
