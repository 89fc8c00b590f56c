with last_answers as (
    select
        email_key,
        max(case when event_type in ('open', 'click') then occurred_at end) as last_answer_at
    from {{ ref('stg_engagement') }}
    where email_key is not null
    group by email_key
)

select
    events.email_key,
    count(*) as events,
    coalesce(bool_or(events.event_type = 'opt_out'), false) as opted_out,
    min(case when events.event_type = 'opt_out' then events.occurred_at end) as opted_out_at,
    sum(case when events.event_type = 'bounce'
            and (last_answers.last_answer_at is null or events.occurred_at > last_answers.last_answer_at)
        then 1 else 0 end) as bounces_since_answer,
    sum(case when events.event_type = 'bounce'
            and (last_answers.last_answer_at is null or events.occurred_at > last_answers.last_answer_at)
        then 1 else 0 end) >= {{ setting('bounces_until_opted_out') }} as is_dead,
    max(case when events.event_type = 'bounce' then events.occurred_at end) as last_bounce_at
from {{ ref('stg_engagement') }} as events
inner join last_answers on events.email_key = last_answers.email_key
group by events.email_key
