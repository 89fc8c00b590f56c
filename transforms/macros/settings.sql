{#- Every number that the models use, in one place. Override any of them with a variable of the same name, for
    example `backhaul run contacts --var match_threshold=20` or `vars:` in the project's settings.

    Weights are points: about the base-2 logarithm of how much likelier the agreement is for one person's two
    records than for two people's. A pair is linked from `match_threshold` points on, unless a guard refuses it. -#}
{% macro setting(name) -%}
{%- set defaults = {
    'match_threshold': 18,
    'match_given_same': 5, 'match_given_near': 4, 'match_given_initial': 2, 'match_given_loose': 2,
    'match_surname_same': 7, 'match_surname_near': 5, 'match_surname_loose': 2, 'match_surname_different': -4,
    'match_swapped': -1,
    'match_birth_same': 10, 'match_birth_near': 3, 'match_birth_different': -8,
    'match_street_same': 6, 'match_street_near': 4, 'match_street_different': -2,
    'match_house_same': 2, 'match_house_near': -4, 'match_house_mistyped': -1, 'match_house_different': -5,
    'match_area_same': 5, 'match_area_postcode': 4, 'match_area_town': 3, 'match_area_near': 2, 'match_area_district': -2, 'match_area_different': -2,
    'match_phone_same': 10, 'match_phone_near': 4, 'match_phone_different': -1,
    'match_email_same': 10, 'match_email_near': 5, 'match_email_different': -1,
    'match_generation_years': 15,
    'match_largest_block': 100,
    'match_largest_group': 60,
    'mailbox_most_names': 20,
    'match_by_email': true, 'match_by_phone': true, 'match_by_birth_date': true, 'match_by_address': true, 'match_by_score': true, 'match_by_exclusion': true, 'match_exclusion_across_names': false,
    'guard_given_names': true, 'guard_birth_dates': true,
    'score_open': 4, 'score_click': 10, 'score_bounce': -6, 'score_half_life_days': 90,
    'bounces_until_opted_out': 3
} -%}
{{ var(name, defaults[name]) }}
{%- endmacro %}


{#- The id of a recipient that is first seen: made from the record that it is made from. -#}
{% macro recipient_id(text) -%}
'r' || substr(md5({{ text }}), 1, 20)
{%- endmacro %}
