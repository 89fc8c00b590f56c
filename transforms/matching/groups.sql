with recursive both_ways as (
    select record_a as a, record_b as b from {{ ref('links') }}
    union all
    select record_b as a, record_a as b from {{ ref('links') }}
),

{{ reached() }},

members as (
    select node as record_no, min(label) as group_no
    from reached
    group by node
),

sizes as (
    select group_no, count(*) as records
    from members
    group by group_no
),

contradicting as (
    select distinct one.group_no
    from members as one
    inner join members as other on one.group_no = other.group_no and one.record_no < other.record_no
    inner join sizes on one.group_no = sizes.group_no
    inner join {{ ref('records') }} as a on one.record_no = a.record_no
    inner join {{ ref('records') }} as b on other.record_no = b.record_no
    left join {{ ref('links') }} as links on one.record_no = links.record_a and other.record_no = links.record_b
    where sizes.records > 2
        and sizes.records <= {{ setting('match_largest_group') }}
        and links.record_a is null
        and ({{ contradict('a', 'b') }})
    {%- if (target.dialect | default(target.type)) not in ('duckdb', 'postgres') %}
    union distinct
    -- where labels did not come all the way, nobody has looked at all its members
    select one.group_no
    from both_ways
    inner join members as one on both_ways.a = one.record_no
    inner join members as other on both_ways.b = other.record_no
    where one.group_no <> other.group_no
    {%- endif %}
)

select
    members.record_no,
    members.group_no,
    sizes.records,
    contradicting.group_no is not null or sizes.records > {{ setting('match_largest_group') }} as is_contested
from members
inner join sizes on members.group_no = sizes.group_no
left join contradicting on members.group_no = contradicting.group_no
