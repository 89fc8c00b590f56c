{#- Comparisons of two records' normalised values. -#}

{#- At least so much alike by Jaro-Winkler, 0 to 1. A similarity that is the bound itself may come out a last digit
    below it, on one machine or engine and not on another, so the bound is let down by a hair. -#}
{% macro alike(a, b, bound) -%}
jaro_winkler_similarity({{ a }}, {{ b }}) >= {{ '%.9f' | format(bound - 0.000000001) }}
{%- endmacro %}

{#- A typing error apart: one edit or two neighbours exchanged from four letters on, two from eight, or a high
    Jaro-Winkler similarity. The cheap similarity comes first: most pairs end there. -#}
{% macro nearly(a, b) -%}
(least(length({{ a }}), length({{ b }})) >= 4 and (
        {{ alike(a, b, 0.92) }}
        or (jaro_winkler_similarity({{ a }}, {{ b }}) >= 0.7 and damerau_levenshtein({{ a }}, {{ b }})
            <= case when least(length({{ a }}), length({{ b }})) >= 8 then 2 else 1 end)))
{%- endmacro %}

{#- One begins with the other: an initial, "Hans" and "Hans Peter", a cut-off name. -#}
{% macro begins(a, b) -%}
(starts_with({{ a }}, {{ b }}) or starts_with({{ b }}, {{ a }}))
{%- endmacro %}

{#- Given name and surname typed into each other's field: one of them stands, letter for letter, in the other's place,
    and not in its own. The one that is found is taken for the surname, the two others are compared as given names. -#}
{% macro swapped(a, b) -%}
coalesce(({{ a }}.given_key = {{ b }}.surname_key or {{ a }}.surname_key = {{ b }}.given_key)
    and {{ a }}.given_key <> {{ b }}.given_key and {{ a }}.surname_key <> {{ b }}.surname_key, false)
{%- endmacro %}

{#- Two names that people bear, rather than one and a typing error: each occurs with three surnames or more, and
    neither is twenty times as frequent as the other. -#}
{% macro both_are_names(a, b) -%}
(least({{ a }}.given_surnames, {{ b }}.given_surnames) >= 3
    and greatest({{ a }}.given_surnames, {{ b }}.given_surnames) <= 20 * least({{ a }}.given_surnames, {{ b }}.given_surnames))
{%- endmacro %}

{#- The two names that are to be compared as given names; see swapped. -#}
{% macro given_one(a, b) -%}
case when {{ swapped(a, b) }} and {{ a }}.given_key = {{ b }}.surname_key then {{ a }}.surname_key else {{ a }}.given_key end
{%- endmacro %}

{% macro given_other(a, b) -%}
case when {{ swapped(a, b) }} and {{ a }}.given_key <> {{ b }}.surname_key then {{ b }}.surname_key else {{ b }}.given_key end
{%- endmacro %}

{#- How two given names compare: same, near (typing error), initial (one begins the other), loose, different; NULL
    where one is missing. Two names a letter apart that people bear (Julia, Julian) are loose, not near. -#}
{% macro given_words(one, other, two_names, same_first) -%}
case
    when {{ one }} is null or {{ other }} is null then null
    when {{ one }} = {{ other }} then 'same'
    when {{ begins(one, other) }} and least(length({{ one }}), length({{ other }})) >= 3
        and abs(length({{ one }}) - length({{ other }})) = 1 and not {{ two_names }} then 'near'
    when {{ begins(one, other) }} or {{ same_first }} then 'initial'
    when jaro_winkler_similarity({{ one }}, {{ other }}) < 0.7 then 'different'
    when {{ nearly(one, other) }} then case when {{ two_names }} then 'loose' else 'near' end
    when not {{ two_names }}
        and least(length({{ one }}), length({{ other }})) >= 5
        and damerau_levenshtein({{ one }}, {{ other }}) <= 2 then 'near'
    when {{ alike(one, other, 0.8) }} then 'loose'
    else 'different'
end
{%- endmacro %}

{#- The same for two records. -#}
{% macro given_level(a, b) -%}
{{ given_words('(' ~ given_one(a, b) ~ ')', '(' ~ given_other(a, b) ~ ')', both_are_names(a, b),
    a ~ '.given_first_key = ' ~ b ~ '.given_first_key') }}
{%- endmacro %}

{#- How two surnames compare: same, near, loose (one begins the other, or much alike),
    different; NULL where one is missing. -#}
{% macro surname_level(a, b) -%}
{%- set one = a ~ ".surname_key" -%}
{%- set other = b ~ ".surname_key" -%}
case
    when {{ one }} is null or {{ other }} is null then null
    when {{ one }} = {{ other }} or {{ swapped(a, b) }} then 'same'
    when {{ begins(one, other) }} then case when {{ nearly(one, other) }} then 'near' else 'loose' end
    when jaro_winkler_similarity({{ one }}, {{ other }}) < 0.7 then 'different'
    when {{ nearly(one, other) }} then 'near'
    when {{ alike(one, other, 0.85) }} then 'loose'
    else 'different'
end
{%- endmacro %}

{#- How two birth dates compare: same, near (one digit, two digits exchanged, day and month exchanged), different. -#}
{% macro birth_level(a, b) -%}
case
    when {{ a }}.birth_date is null or {{ b }}.birth_date is null then null
    when {{ a }}.birth_date = {{ b }}.birth_date then 'same'
    when extract(year from {{ a }}.birth_date) = extract(year from {{ b }}.birth_date)
        and extract(month from {{ a }}.birth_date) = extract(day from {{ b }}.birth_date)
        and extract(day from {{ a }}.birth_date) = extract(month from {{ b }}.birth_date) then 'near'
    when damerau_levenshtein(strftime({{ a }}.birth_date, '%Y%m%d'), strftime({{ b }}.birth_date, '%Y%m%d')) = 1 then 'near'
    else 'different'
end
{%- endmacro %}

{#- The smallest record number that each record is joined to, over a CTE `both_ways` (a, b) that holds every link in
    both directions. To be used after `with recursive`. Most engines take no union without doubles in a recursive
    query; there it goes twelve links far. -#}
{% macro reached() -%}
{%- if (target.dialect | default(target.type)) in ('duckdb', 'postgres') -%}
reached as (
    select distinct a as node, a as label from both_ways
    union
    select both_ways.b as node, reached.label
    from reached
    inner join both_ways on reached.node = both_ways.a
    where reached.label < both_ways.b
)
{%- else -%}
labelled as (
    select a, b, a as v from both_ways
),

reached as (
    select distinct a as node, v as label
    from (
        {{ spread('labelled', 12, 0) }}
    ) as labels
)
{%- endif -%}
{%- endmacro %}

{#- The least value v that each record a has or is reached by over so many links (a, b, in both directions), each of
    which adds `step`. -#}
{% macro spread(links, rounds, step) -%}
{%- if rounds == 0 -%}
select a, b, v from {{ links }}
{%- else -%}
select a, b, min(case when v is null or m + {{ step }} < v then m + {{ step }} else v end) over (partition by a) as v
from (
    select a, b, v, min(v) over (partition by case when a < b then a else b end, case when a < b then b else a end) as m
    from ({{ spread(links, rounds - 1, step) }}) as known
) as paired
{%- endif -%}
{%- endmacro %}

{#- Share of the words of the shorter text that the longer one has too, 0 to 1; order does not matter. Engines
    without lists look at the first eight words of each. -#}
{% macro token_share(a, b) -%}
{%- if (target.dialect | default(target.type)) == 'redshift' -%}
{{ token_share_of_eight(a, b) }}
{%- else -%}
(len(list_intersect(string_split({{ a }}, ' '), string_split({{ b }}, ' '))) * 1.0
    / least(len(list_distinct(string_split({{ a }}, ' '))), len(list_distinct(string_split({{ b }}, ' ')))))
{%- endif -%}
{%- endmacro %}

{% macro token_share_of_eight(a, b) -%}
case when {{ a }} is not null and {{ b }} is not null then ({{ words_of(a, b) }}) * 1.0 / least({{ words_of(a) }}, {{ words_of(b) }}) end
{%- endmacro %}

{#- How many different words of the first eight of a text there are; with `other`, how many of them it has, too. -#}
{% macro words_of(text, other='') -%}
{%- for place in range(1, 9) -%}
{%- set word = "split_part(" ~ text ~ ", ' ', " ~ place ~ ")" -%}
case when {{ word }} <> ''
    {%- for before in range(1, place) %} and {{ word }} <> split_part({{ text }}, ' ', {{ before }}){% endfor %}
    {%- if other %} and ' ' || {{ other }} || ' ' like '% ' || {{ word }} || ' %'{% endif %} then 1 else 0 end
    {%- if not loop.last %} + {% endif %}
{%- endfor -%}
{%- endmacro %}

{#- Two records that cannot be one person whatever lies between them. -#}
{% macro contradict(a, b) -%}
coalesce({{ birth_level(a, b) }} = 'different', false)
or coalesce({{ given_level(a, b) }} = 'different', false)
or coalesce({{ given_level(a, b) }} = 'loose' and {{ birth_level(a, b) }} is distinct from 'same', false)
{%- endmacro %}

{#- One comparison of a linked pair in words: "surname near: Mueller / Muler". -#}
{% macro evidence(label, level, one, other) -%}
'{{ label }} ' || pairs.{{ level }} || ': ' || replace(cast({{ one }} as varchar), chr(10), ', ') || ' / '
            || replace(cast({{ other }} as varchar), chr(10), ', ')
{%- endmacro %}
