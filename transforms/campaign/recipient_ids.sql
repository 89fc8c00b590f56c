{{ config(materialized='incremental', unique_key='record_key', full_refresh=false) }}

with current_records as (
    select
        clusters.record_key,
        clusters.cluster_no,
        records.created_at,
        records.first_seen_at,
        records.seen_at
    from {{ ref('clusters') }} as clusters
    inner join {{ ref('records') }} as records on clusters.record_no = records.record_no
),

remembered as (
{%- if is_incremental() %}
    select record_key, recipient_id, anchor_key, known_since from {{ this }}
{%- else %}
    select
        cast(null as varchar) as record_key,
        cast(null as varchar) as recipient_id,
        cast(null as varchar) as anchor_key,
        cast(null as timestamp with time zone) as known_since
    where false
{%- endif %}
),

-- which group of records may go on under which of the ids known so far: its own records' and those of records
-- that the CRM merged into one of them
votes as (
    select
        current_records.cluster_no,
        remembered.recipient_id,
        remembered.anchor_key,
        remembered.known_since,
        remembered.record_key,
        current_records.created_at
    from remembered
    inner join current_records on remembered.record_key = current_records.record_key
    union all
    select
        current_records.cluster_no,
        remembered.recipient_id,
        remembered.anchor_key,
        remembered.known_since,
        remembered.record_key,
        current_records.created_at
    from remembered
    inner join {{ ref('stg_departed') }} as departed on remembered.record_key = departed.record_key
    inner join current_records on departed.survivor_key = current_records.record_key
),

claims as (
    select
        cluster_no,
        recipient_id,
        min(known_since) as known_since,
        min(anchor_key) as anchor_key,
        bool_or(record_key = anchor_key) as has_anchor,
        count(*) as records,
        min(created_at) as created_at
    from votes
    group by cluster_no, recipient_id
),

-- a group that fell apart: the id stays with the record it was made from, or with the larger part
owned as (
    select
        *,
        row_number() over (
            partition by recipient_id order by has_anchor desc, records desc, created_at asc nulls last, cluster_no asc
        ) as place
    from claims
),

-- groups that came together: the id known longest stays
chosen as (
    select
        cluster_no,
        recipient_id,
        anchor_key,
        known_since,
        row_number() over (
            partition by cluster_no order by known_since asc, created_at asc nulls last, recipient_id asc
        ) as place
    from owned
    where place = 1
),

founders as (
    select
        current_records.cluster_no,
        current_records.record_key,
        -- records that left another recipient make one that is known only since then
        case when bool_or(remembered.record_key is not null) over (partition by current_records.cluster_no)
            then max(current_records.seen_at) over (partition by current_records.cluster_no)
            else min(current_records.first_seen_at) over (partition by current_records.cluster_no) end as known_since,
        row_number() over (
            partition by current_records.cluster_no
            order by current_records.created_at asc nulls last, current_records.record_key asc
        ) as place
    from current_records
    left join remembered on current_records.record_key = remembered.record_key
),

assigned as (
    select
        founders.cluster_no,
        coalesce(
            chosen.recipient_id,
            case when taken.recipient_id is null then {{ recipient_id('founders.record_key') }}
                else {{ recipient_id("founders.record_key || ' again since ' || strftime(founders.known_since, '%Y-%m-%d %H:%M:%S')") }} end
        ) as recipient_id,
        coalesce(chosen.anchor_key, founders.record_key) as anchor_key,
        coalesce(chosen.known_since, founders.known_since) as known_since
    from founders
    left join chosen on founders.cluster_no = chosen.cluster_no and chosen.place = 1
    left join (select distinct recipient_id from remembered) as taken
        on {{ recipient_id('founders.record_key') }} = taken.recipient_id
    where founders.place = 1
),

-- ids that gave way to an older one: what is remembered under them moves along
given_up as (
    select
        chosen.recipient_id as former_id,
        assigned.recipient_id,
        assigned.anchor_key,
        assigned.known_since
    from chosen
    inner join assigned on chosen.cluster_no = assigned.cluster_no
    where chosen.place > 1
)

select
    current_records.record_key,
    assigned.recipient_id,
    assigned.anchor_key,
    assigned.known_since
from current_records
inner join assigned on current_records.cluster_no = assigned.cluster_no
union all
select
    remembered.record_key,
    coalesce(given_up.recipient_id, remembered.recipient_id) as recipient_id,
    coalesce(given_up.anchor_key, remembered.anchor_key) as anchor_key,
    coalesce(given_up.known_since, remembered.known_since) as known_since
from remembered
left join current_records on remembered.record_key = current_records.record_key
left join given_up on remembered.recipient_id = given_up.former_id
where current_records.record_key is null
