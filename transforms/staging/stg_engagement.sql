select
    event_id,
    campaign,
    event_type,
    {{ email_key('email') }} as email_key,
    occurred_at
from {{ ref('engagement_events') }}
