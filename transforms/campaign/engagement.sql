-- One row an event and recipient: an event at a shared mailbox counts for everybody who is reached there.
with reached as (
    select distinct email_key, recipient_id
    from {{ ref('recipient_links') }}
    where email_key is not null
)

select
    events.event_id || ' ' || reached.recipient_id as engagement_key,
    events.event_id,
    reached.recipient_id,
    events.email_key,
    events.campaign,
    events.event_type,
    events.occurred_at
from {{ ref('stg_engagement') }} as events
inner join reached on events.email_key = reached.email_key
