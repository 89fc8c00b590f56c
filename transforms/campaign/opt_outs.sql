-- Every reason for which a recipient gets no campaign mail. One is enough, and none is ever outvoted.
with reasons as (
    select
        links.recipient_id,
        'crm_record' as reason,
        links.record_key as found_at,
        cast(null as timestamp with time zone) as opted_out_at
    from {{ ref('recipient_links') }} as links
    where links.opted_out
    union all
    -- a record that was deleted or merged away keeps its word, for the recipient it belonged to
    select
        recipient_ids.recipient_id,
        'departed_record' as reason,
        departed.record_key as found_at,
        departed.departed_at as opted_out_at
    from {{ ref('stg_departed') }} as departed
    inner join {{ ref('recipient_ids') }} as recipient_ids on departed.record_key = recipient_ids.record_key
    where departed.opted_out
    union all
    -- ... for the record that it was merged into
    select
        links.recipient_id,
        'departed_record' as reason,
        departed.record_key as found_at,
        departed.departed_at as opted_out_at
    from {{ ref('stg_departed') }} as departed
    inner join {{ ref('recipient_links') }} as links on departed.survivor_key = links.record_key
    where departed.opted_out
    union all
    -- ... and for whoever is reached at its address
    select
        links.recipient_id,
        'departed_record' as reason,
        departed.record_key as found_at,
        departed.departed_at as opted_out_at
    from {{ ref('stg_departed') }} as departed
    inner join {{ ref('recipient_links') }} as links on departed.email_key = links.email_key
    where departed.opted_out
    union all
    select
        links.recipient_id,
        'campaign_opt_out' as reason,
        addresses.email_key as found_at,
        addresses.opted_out_at
    from {{ ref('addresses') }} as addresses
    inner join {{ ref('recipient_links') }} as links on addresses.email_key = links.email_key
    where addresses.opted_out
    union all
    -- no address is left at which mail arrives
    select
        links.recipient_id,
        'bounced' as reason,
        min(links.email_key) as found_at,
        max(addresses.last_bounce_at) as opted_out_at
    from {{ ref('recipient_links') }} as links
    left join {{ ref('addresses') }} as addresses on links.email_key = addresses.email_key
    where links.email_key is not null
    group by links.recipient_id
    having bool_and(coalesce(addresses.is_dead, false))
)

select
    recipient_id || ' ' || reason || ' ' || found_at as opt_out_key,
    recipient_id,
    reason,
    found_at,
    min(opted_out_at) as opted_out_at
from reasons
where recipient_id in (select recipient_id from {{ ref('recipient_links') }})
group by recipient_id, reason, found_at
