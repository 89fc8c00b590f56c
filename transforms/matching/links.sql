with agreed as (
    select record_a, record_b, points, rule
    from {{ ref('pairs') }}
    where rule is not null
),

-- by exclusion: pairs that differ in one part only (see `pairs.is_only_option`), where neither record is linked to
-- anybody otherwise nor has a second candidate. A father and son of one name stay two: one CRM that has both is enough
-- to tell. Twins stay two even where each CRM holds only one of them, unless `match_exclusion_across_names` is set.
options as (
    select pairs.record_a, pairs.record_b, pairs.points
    from {{ ref('pairs') }} as pairs
    where pairs.is_only_option and {{ setting('match_by_exclusion') }}
),

taken as (
    select record_a as record_no from agreed
    union all
    select record_b as record_no from agreed
    union all
    select record_no
    from (
        select record_a as record_no from options
        union all
        select record_b as record_no from options
    ) as every_option
    group by record_no
    having count(*) > 1
),

accepted as (
    select record_a, record_b, points, rule from agreed
    union all
    select record_a, record_b, 0 as points, 'by_exclusion' as rule
    from options
    where record_a not in (select record_no from taken)
        and record_b not in (select record_no from taken)
),

both_ways as (
    select record_a as a, record_b as b, points from accepted
    union all
    select record_b as a, record_a as b, points from accepted
),

-- a record between two that contradict each other keeps the stronger link of the two
between_two as (
    select
        one.a as middle,
        case when one.points < other.points or (one.points = other.points and one.b > other.b) then one.b else other.b end as weaker
    from both_ways as one
    inner join both_ways as other on one.a = other.a and one.b < other.b
    inner join {{ ref('records') }} as a on one.b = a.record_no
    inner join {{ ref('records') }} as b on other.b = b.record_no
    left join accepted on one.b = accepted.record_a and other.b = accepted.record_b
    where accepted.record_a is null
        and ({{ contradict('a', 'b') }})
)

select
    accepted.record_a,
    accepted.record_b,
    accepted.points,
    accepted.rule
from accepted
left join (select distinct least(middle, weaker) as record_a, greatest(middle, weaker) as record_b from between_two) as dropped
    on accepted.record_a = dropped.record_a and accepted.record_b = dropped.record_b
where dropped.record_a is null
