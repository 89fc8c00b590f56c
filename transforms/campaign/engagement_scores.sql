-- The clock stands at the newest event known, so the same events always give the same scores.
with clock as (
    select max(occurred_at) as as_of from {{ ref('stg_engagement') }}
),

weighed as (
    select
        engagement.recipient_id,
        engagement.event_type,
        engagement.occurred_at,
        clock.as_of,
        cast(case engagement.event_type
            when 'open' then {{ setting('score_open') }}
            when 'click' then {{ setting('score_click') }}
            when 'bounce' then {{ setting('score_bounce') }}
            else 0
        end * power(0.5, (epoch(clock.as_of) - epoch(engagement.occurred_at)) / 86400.0 / {{ setting('score_half_life_days') }}) as decimal(18, 6)) as worth
    from {{ ref('engagement') }} as engagement
    cross join clock
)

select
    weighed.recipient_id,
    cast(case when bool_or(opt_outs.recipient_id is not null) then 0
        else greatest(0, least(100, round(sum(weighed.worth), 1))) end as decimal(5, 1)) as score,
    max(case when weighed.event_type = 'open' then weighed.occurred_at end) as last_open_at,
    sum(case when weighed.event_type = 'send' then 1 else 0 end) as sends,
    sum(case when weighed.event_type = 'open' then 1 else 0 end) as opens,
    sum(case when weighed.event_type = 'click' then 1 else 0 end) as clicks,
    sum(case when weighed.event_type = 'bounce' then 1 else 0 end) as bounces,
    sum(case when weighed.event_type = 'opt_out' then 1 else 0 end) as opt_outs,
    max(weighed.occurred_at) as last_event_at,
    max(weighed.as_of) as as_of,
    bool_or(opt_outs.recipient_id is not null) as opted_out
from weighed
left join (select distinct recipient_id from {{ ref('opt_outs') }}) as opt_outs on weighed.recipient_id = opt_outs.recipient_id
group by weighed.recipient_id
