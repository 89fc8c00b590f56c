{#- From the raw log to the newest version of each record. -#}

{#- Columns every version gets: its place in the record's history and whether its content differs from the version
    before. `content` lists the expressions that a person or the CRM changes; the fields that campaigns write back
    are left out of it, so that our own writes never make a stale copy look fresh. -#}
{% macro version_columns(id, cursor, email, content) -%}
{{ cursor }} as modified_at,
        coalesce(_backhaul_deleted, false) as is_deleted,
        _backhaul_survivor as survivor_id,
        row_number() over (
            partition by {{ id }} order by {{ cursor }} desc nulls last, _backhaul_seen_at desc, _dlt_load_id desc
        ) as version_rank,
        _backhaul_seen_at as seen_at,
        md5(concat_ws(chr(31){% for column in content %}, coalesce(cast({{ column }} as varchar), chr(30)){% endfor %})) as content_mark,
        lag(md5(concat_ws(chr(31){% for column in content %}, coalesce(cast({{ column }} as varchar), chr(30)){% endfor %}))) over (
            partition by {{ id }} order by {{ cursor }} asc nulls first, _backhaul_seen_at asc, _dlt_load_id asc
        ) as content_mark_before,
        coalesce({{ email }}, '') as email_mark,
        lag(coalesce({{ email }}, '')) over (
            partition by {{ id }} order by {{ cursor }} asc nulls first, _backhaul_seen_at asc, _dlt_load_id asc
        ) as email_mark_before
{%- endmacro %}

{#- Columns over the CTE `versions`: when the content, and when the address, last changed. -#}
{% macro changed_columns() -%}
max(case when content_mark is distinct from content_mark_before then modified_at end)
            over (partition by record_id) as content_changed_at,
        max(case when email_mark is distinct from email_mark_before then modified_at end)
            over (partition by record_id) as email_changed_at,
        min(seen_at) over (partition by record_id) as first_seen_at
{%- endmacro %}

{#- The uniform columns of a staging model, over a CTE `newest` that has them under their plain names. -#}
{% macro person_columns(account, object) -%}
'{{ account }}:{{ object }}:' || record_id as record_key,
    '{{ account }}' as account,
    '{{ object }}' as object,
    record_id,
    nullif(trim(salutation), '') as salutation,
    nullif(trim(regexp_replace(first_name, '\s+', ' ', 'g')), '') as first_name,
    nullif(trim(regexp_replace(last_name, '\s+', ' ', 'g')), '') as last_name,
    {{ clean_email('email') }} as email,
    nullif(trim(phone), '') as phone,
    nullif(trim(mobile_phone), '') as mobile_phone,
    nullif(trim(street), '') as street,
    nullif(trim(city), '') as city,
    nullif(trim(state), '') as state,
    nullif(trim(postal_code), '') as postal_code,
    nullif(trim(country), '') as country,
    nullif(trim(company), '') as company,
    nullif(trim(job_title), '') as job_title,
    nullif(trim(lead_source), '') as lead_source,
    {{ birth_date('birth_date') }} as birth_date,
    coalesce(opted_out, false) as opted_out,
    coalesce(do_not_call, false) as do_not_call,
    nullif(trim(member_number), '') as member_number,
    campaign_score,
    last_open_at,
    converted_to_id,
    is_read_only,
    created_at,
    modified_at,
    content_changed_at,
    email_changed_at,
    first_seen_at,
    seen_at,
    {{ email_key('email') }} as email_key,
    {{ phone_key('phone') }} as phone_key,
    {{ phone_key('mobile_phone') }} as mobile_key,
    {{ name_key('first_name') }} as given_key,
    {{ first_word('first_name') }} as given_first_key,
    {{ name_key('last_name') }} as surname_key,
    {{ street_key('street') }} as street_key,
    {{ house_number('street') }} as house_key,
    {{ fold('city') }} as city_key,
    {{ postcode_key('postal_code') }} as postcode_key
{%- endmacro %}

{#- Records that are gone (deleted, purged or merged away): where they went and what they last said about consent. -#}
{% macro departed_rows(account, object, raw, id, cursor, email, opted_out, merged, survivor) -%}
select
    '{{ account }}:{{ object }}:' || {{ id }} as record_key,
    '{{ account }}' as account,
    '{{ object }}' as object,
    {{ id }} as record_id,
    max(case when version_rank = 1 then survivor_key end) as survivor_key,
    max(case when version_rank = 1 then stamp end) as departed_at,
    max(case when live_rank = 1 and not is_deleted then email_key end) as email_key,
    coalesce(bool_or(live_rank = 1 and not is_deleted and opted_out), false) as opted_out
from (
    select
        {{ id }},
        {{ cursor }} as stamp,
        coalesce(_backhaul_deleted, false) as is_deleted,
        coalesce(_backhaul_deleted, false) or {{ merged }} as is_gone,
        '{{ account }}:{{ object }}:' || coalesce(_backhaul_survivor, {{ survivor }}) as survivor_key,
        {{ email_key(email) }} as email_key,
        coalesce({{ opted_out }}, false) as opted_out,
        row_number() over (
            partition by {{ id }} order by {{ cursor }} desc nulls last, _backhaul_seen_at desc, _dlt_load_id desc
        ) as version_rank,
        row_number() over (
            partition by {{ id }}, coalesce(_backhaul_deleted, false)
            order by {{ cursor }} desc nulls last, _backhaul_seen_at desc, _dlt_load_id desc
        ) as live_rank
    from {{ raw }}
) as history
group by {{ id }}
having bool_or(version_rank = 1 and is_gone)
{%- endmacro %}
