with oriented as (
    select
        candidates.record_a,
        candidates.record_b,
        {{ swapped('a', 'b') }} as is_swapped,
        {{ given_one('a', 'b') }} as given_one,
        {{ given_other('a', 'b') }} as given_other,
        coalesce({{ both_are_names('a', 'b') }}, false) as are_two_names,
        coalesce(a.given_first_key = b.given_first_key, false) as have_first_word
    from {{ ref('candidates') }} as candidates
    inner join {{ ref('records') }} as a on candidates.record_a = a.record_no
    inner join {{ ref('records') }} as b on candidates.record_b = b.record_no
),

compared as (
    select
        oriented.record_a,
        oriented.record_b,
        oriented.is_swapped,
        oriented.are_two_names,
        {{ given_words('oriented.given_one', 'oriented.given_other', 'oriented.are_two_names', 'oriented.have_first_word') }} as given_level,
        {{ birth_level('a', 'b') }} as birth_level,
        {{ surname_level('a', 'b') }} as surname_level,
        case
            when a.email_key is null or b.email_key is null then null
            when a.email_key = b.email_key then case when mailboxes.is_stand_in then null else 'same' end
            when abs(length(a.email_key) - length(b.email_key)) > 1 then 'different'
            when not {{ alike('a.email_key', 'b.email_key', 0.9) }} then 'different'
            when damerau_levenshtein(a.email_key, b.email_key) = 1 then 'near'
            else 'different'
        end as email_level,
        coalesce(a.email_key = b.email_key and mailboxes.is_shared, false) as mailbox_is_shared,
        case
            when coalesce(a.phone_key, a.mobile_key) is null or coalesce(b.phone_key, b.mobile_key) is null then null
            when coalesce(a.phone_key = b.phone_key, false) or coalesce(a.phone_key = b.mobile_key, false)
                or coalesce(a.mobile_key = b.phone_key, false) or coalesce(a.mobile_key = b.mobile_key, false) then 'same'
            when abs(length(a.phone_key) - length(b.phone_key)) > 1 then 'different'
            when not {{ alike('a.phone_key', 'b.phone_key', 0.8) }} then 'different'
            when length(a.phone_key) >= 7 and damerau_levenshtein(a.phone_key, b.phone_key) = 1 then 'near'
            else 'different'
        end as phone_level,
        abs(extract(year from a.birth_date) - extract(year from b.birth_date)) as years_apart,
        coalesce(a.account = b.account and (a.converted_to_id = b.record_id or b.converted_to_id = a.record_id), false) as is_converted
    from oriented
    inner join {{ ref('records') }} as a on oriented.record_a = a.record_no
    inner join {{ ref('records') }} as b on oriented.record_b = b.record_no
    left join {{ ref('mailboxes') }} as mailboxes on a.email_key = mailboxes.email_key
),

-- addresses are the dearest to compare: only where the rest leaves a chance
hopeful as (
    select
        compared.record_a,
        compared.record_b,
        compared.given_level,
        compared.birth_level,
        compared.surname_level,
        compared.is_swapped,
        compared.are_two_names,
        compared.email_level,
        compared.mailbox_is_shared,
        compared.phone_level,
        compared.years_apart,
        compared.is_converted,
        case
            when coalesce(a.road_key, a.street_key) is null or coalesce(b.road_key, b.street_key) is null then null
            when a.street_key = b.street_key or a.road_key = b.road_key
                or {{ token_share('a.road_key', 'b.road_key') }} >= 0.75 then 'same'
            when {{ token_share('a.road_key', 'b.road_key') }} >= 0.5
                or {{ alike('a.road_key', 'b.road_key', 0.88) }} then 'near'
            else 'different'
        end as street_level,
        case
            when a.house_key is null or b.house_key is null then null
            when a.house_key = b.house_key then 'same'
            when greatest(length(a.house_key), length(b.house_key)) >= 2
                and damerau_levenshtein(a.house_key, b.house_key) = 1 then 'near'
            else 'different'
        end as house_level,
        case
            when a.postcode_key = b.postcode_key and a.city_key = b.city_key then 'same'
            when a.postcode_key = b.postcode_key then 'postcode'
            when a.city_key = b.city_key and (a.postcode_key is null or b.postcode_key is null) then 'town'
            when damerau_levenshtein(a.postcode_key, b.postcode_key) = 1 then 'near'
            when a.city_key = b.city_key then 'district'
            when (a.postcode_key is null or b.postcode_key is null)
                and {{ alike('a.city_key', 'b.city_key', 0.88) }} then 'near'
            when a.postcode_key <> b.postcode_key or a.city_key <> b.city_key then 'different'
        end as area_level
    from compared
    inner join {{ ref('records') }} as a on compared.record_a = a.record_no
    inner join {{ ref('records') }} as b on compared.record_b = b.record_no
    where compared.is_converted
        or coalesce(compared.given_level, '') in ('same', 'near', 'initial', 'loose')
        or compared.birth_level in ('same', 'near')
        or compared.email_level = 'same'
),

scored as (
    select
        *,
        case when is_swapped then {{ setting('match_swapped') }} else 0 end
        + case given_level when 'same' then {{ setting('match_given_same') }} when 'near' then {{ setting('match_given_near') }}
            when 'initial' then {{ setting('match_given_initial') }}
            when 'loose' then {{ setting('match_given_loose') }} else 0 end
        + case surname_level when 'same' then {{ setting('match_surname_same') }} when 'near' then {{ setting('match_surname_near') }}
            when 'loose' then {{ setting('match_surname_loose') }}
            when 'different' then {{ setting('match_surname_different') }} else 0 end
        + case birth_level when 'same' then {{ setting('match_birth_same') }} when 'near' then {{ setting('match_birth_near') }}
            when 'different' then {{ setting('match_birth_different') }} else 0 end
        + case street_level when 'same' then {{ setting('match_street_same') }} when 'near' then {{ setting('match_street_near') }}
            when 'different' then {{ setting('match_street_different') }} else 0 end
        + case house_level when 'same' then {{ setting('match_house_same') }}
            -- namesakes live in one street; with the birth date known the number is the likelier error
            when 'near' then case when birth_level = 'same' then 0 else {{ setting('match_house_near') }} end
            when 'different' then case when birth_level = 'same' then {{ setting('match_house_mistyped') }}
                else {{ setting('match_house_different') }} end else 0 end
        + case area_level when 'same' then {{ setting('match_area_same') }}
            when 'postcode' then {{ setting('match_area_postcode') }} when 'town' then {{ setting('match_area_town') }} when 'near' then {{ setting('match_area_near') }}
            when 'district' then {{ setting('match_area_district') }}
            when 'different' then {{ setting('match_area_different') }} else 0 end
        + case phone_level when 'same' then {{ setting('match_phone_same') }} when 'near' then {{ setting('match_phone_near') }}
            when 'different' then {{ setting('match_phone_different') }} else 0 end
        + case when mailbox_is_shared then 0 else
            case email_level when 'same' then {{ setting('match_email_same') }} when 'near' then {{ setting('match_email_near') }}
            when 'different' then {{ setting('match_email_different') }} else 0 end end as points,
        coalesce(given_level = 'same' and surname_level = 'same', false) as is_full_name,
        coalesce(street_level = 'same' and house_level = 'same' and area_level in ('same', 'postcode', 'town'), false) as is_full_address,
        -- what tells one person from the others of a household or an office
        coalesce(given_level in ('same', 'near') and surname_level is distinct from 'different', false)
        or coalesce(birth_level in ('same', 'near'), false)
        or coalesce(email_level = 'same' and not mailbox_is_shared, false) as has_identity
    from hopeful
),

judged as (
    select
        *,
        case
            when is_converted then null
            {%- if setting('guard_given_names') | trim | lower == 'true' %}
            when given_level = 'different' then 'given names differ'
            when given_level = 'loose' and coalesce(birth_level, '') not in ('same', 'near') then 'given names differ'
            {%- endif %}
            {%- if setting('guard_birth_dates') | trim | lower == 'true' %}
            when birth_level = 'different' and not (
                is_full_name and years_apart < {{ setting('match_generation_years') }} and (
                    is_full_address or (email_level = 'same' and phone_level = 'same')
                ) is true
            ) then 'birth dates differ'
            {%- endif %}
            when not has_identity then 'nothing personal agrees'
        end as refusal
    from scored
)

select
    a.record_key as record_key_a,
    b.record_key as record_key_b,
    judged.record_a,
    judged.record_b,
    judged.points,
    case
        when judged.refusal is not null then null
        when judged.is_converted then 'converted'
        {%- if setting('match_by_email') | trim | lower == 'true' %}
        when judged.email_level = 'same' and judged.is_full_name then 'email'
        when judged.email_level = 'same' and not judged.mailbox_is_shared
            and (judged.given_level is not null or coalesce(judged.surname_level, 'same') <> 'different') then 'email'
        {%- endif %}
        {%- if setting('match_by_phone') | trim | lower == 'true' %}
        when judged.is_full_name and judged.phone_level = 'same' then 'name_and_phone'
        {%- endif %}
        {%- if setting('match_by_birth_date') | trim | lower == 'true' %}
        when judged.is_full_name and judged.birth_level = 'same' then 'name_and_birth_date'
        {%- endif %}
        {%- if setting('match_by_address') | trim | lower == 'true' %}
        when judged.is_full_name and judged.is_full_address then 'name_and_address'
        {%- endif %}
        {%- if setting('match_by_score') | trim | lower == 'true' %}
        when judged.points >= {{ setting('match_threshold') }} then 'score'
        {%- endif %}
    end as rule,
    judged.refusal,
    -- one part contradicts and everything else agrees, in records of two CRMs: `links` takes such a pair only where
    -- neither record has anybody else to be
    judged.refusal in ('given names differ', 'birth dates differ')
    -- two names that are both really given are two children of one home rather than one child mistyped
    and ({{ setting('match_exclusion_across_names') }} or not (judged.refusal = 'given names differ' and judged.are_two_names))
    and a.account <> b.account
    and coalesce(judged.email_level, 'same') in ('same', 'near')
    and coalesce(judged.phone_level, 'same') in ('same', 'near')
    and not judged.mailbox_is_shared
    and judged.street_level in ('same', 'near')
    and judged.area_level in ('same', 'postcode', 'town', 'near')
    and (
        (judged.birth_level = 'same' and judged.surname_level in ('same', 'near'))
        or (judged.birth_level = 'different' and judged.given_level in ('same', 'near')
            and judged.surname_level in ('same', 'near') and coalesce(judged.house_level, 'same') = 'same')
    ) as is_only_option,
    judged.given_level,
    judged.surname_level,
    judged.is_swapped,
    judged.birth_level,
    judged.email_level,
    judged.mailbox_is_shared,
    judged.phone_level,
    judged.street_level,
    judged.house_level,
    judged.area_level
from judged
inner join {{ ref('records') }} as a on judged.record_a = a.record_no
inner join {{ ref('records') }} as b on judged.record_b = b.record_no
