-- Where a group still joins people who contradict each other, only its members with the same full name and the
-- same birth date (or both without one) stay together: whatever was linked by less is taken apart.
with recursive kept as (
    select links.record_a, links.record_b
    from {{ ref('links') }} as links
    inner join {{ ref('groups') }} as joined on links.record_a = joined.record_no
    inner join {{ ref('records') }} as a on links.record_a = a.record_no
    inner join {{ ref('records') }} as b on links.record_b = b.record_no
    where not joined.is_contested
        or (a.given_key = b.given_key and a.surname_key = b.surname_key and a.birth_date is not distinct from b.birth_date)
),

both_ways as (
    select record_a as a, record_b as b from kept
    union all
    select record_b as a, record_a as b from kept
),

{{ reached() }},

members as (
    select node as record_no, min(label) as cluster_no
    from reached
    group by node
)

select
    records.record_no,
    records.record_key,
    coalesce(members.cluster_no, records.record_no) as cluster_no
from {{ ref('records') }} as records
left join members on records.record_no = members.record_no
