select
    records.record_key,
    recipient_ids.recipient_id,
    records.account,
    records.object,
    records.record_id,
    records.email_key,
    records.opted_out,
    records.is_read_only
from {{ ref('records') }} as records
inner join {{ ref('recipient_ids') }} as recipient_ids on records.record_key = recipient_ids.record_key
