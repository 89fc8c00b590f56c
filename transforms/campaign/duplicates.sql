-- One row a record that was merged into another of its recipient: the links form a tree whose root is the
-- recipient's main record, and every other record names the stronger-linked neighbour that is nearer to the root.
with recursive main_records as (
    select records.record_no, recipients.recipient_id
    from {{ ref('recipients') }} as recipients
    inner join {{ ref('records') }} as records on recipients.main_record_key = records.record_key
    where recipients.records > 1
),

inside as (
    select kept.record_a as a, kept.record_b as b, kept.points
    from {{ ref('links') }} as kept
    inner join {{ ref('clusters') }} as one on kept.record_a = one.record_no
    inner join {{ ref('clusters') }} as other on kept.record_b = other.record_no
    where one.cluster_no = other.cluster_no
),

both_ways as (
    select a, b, points from inside
    union all
    select b as a, a as b, points from inside
),

{% if (target.dialect | default(target.type)) in ('duckdb', 'postgres') -%}
walked as (
    select record_no as node, 0 as depth from main_records
    union
    select both_ways.b as node, walked.depth + 1 as depth
    from walked
    inner join both_ways on walked.node = both_ways.a
    where walked.depth < 8
),

nearest as (
    select node, min(depth) as depth
    from walked
    group by node
),
{%- else -%}
begun as (
    select both_ways.a, both_ways.b, case when main_records.record_no is not null then 0 end as v
    from both_ways
    left join main_records on both_ways.a = main_records.record_no
),

nearest as (
    select distinct a as node, v as depth
    from (
        {{ spread('begun', 8, 1) }}
    ) as depths
),
{%- endif %}

parents as (
    select
        both_ways.a as child,
        both_ways.b as parent,
        row_number() over (partition by both_ways.a order by both_ways.points desc, both_ways.b) as place
    from both_ways
    left join main_records as roots on both_ways.a = roots.record_no
    left join nearest as child on both_ways.a = child.node
    left join nearest as parent on both_ways.b = parent.node
    -- beyond eight links from the main record the strongest neighbour stands in
    where roots.record_no is null and (child.depth = parent.depth + 1 or child.depth is null)
)

select
    child.record_key,
    links.recipient_id,
    child.account,
    child.object,
    child.record_id,
    parent.record_key as merged_into_key,
    parent.account as merged_into_account,
    parent.object as merged_into_object,
    parent.record_id as merged_into_id,
    kept.rule,
    pairs.points,
    concat_ws('; ',
        {{ evidence('given name', 'given_level', 'child.first_name', 'parent.first_name') }},
        {{ evidence('surname', 'surname_level', 'child.last_name', 'parent.last_name') }},
        {{ evidence('birth date', 'birth_level', 'child.birth_date', 'parent.birth_date') }},
        {{ evidence('email', 'email_level', 'child.email', 'parent.email') }},
        {{ evidence('phone', 'phone_level', 'coalesce(child.phone, child.mobile_phone)', 'coalesce(parent.phone, parent.mobile_phone)') }},
        {{ evidence('street', 'street_level', 'child.street', 'parent.street') }},
        {{ evidence('place', 'area_level', "concat_ws(' ', child.postal_code, child.city)", "concat_ws(' ', parent.postal_code, parent.city)") }}
    ) as compared_values
from parents
inner join {{ ref('records') }} as child on parents.child = child.record_no
inner join {{ ref('records') }} as parent on parents.parent = parent.record_no
inner join {{ ref('pairs') }} as pairs
    on least(parents.child, parents.parent) = pairs.record_a and greatest(parents.child, parents.parent) = pairs.record_b
inner join {{ ref('links') }} as kept on pairs.record_a = kept.record_a and pairs.record_b = kept.record_b
inner join {{ ref('recipient_links') }} as links on child.record_key = links.record_key
where parents.place = 1
