{#- Normalised forms: what is compared, never what is shown. Each gives NULL where nothing comparable is left. -#}

{#- Lower case, accents and the letters that do not decompose folded, punctuation and spaces collapsed. -#}
{% macro fold(column) -%}
nullif(trim(regexp_replace(
    replace(replace(replace(translate(strip_accents(lower(cast({{ column }} as varchar))), 'øłđıςþ', 'oldiσt'),
        'ß', 'ss'), 'æ', 'ae'), 'œ', 'oe'),
    '[^\p{L}\p{N}]+', ' ', 'g')), '')
{%- endmacro %}

{#- A name: folded; the German spellings ae, oe, ue equal to a, o, u; stand-ins for "no name" are no name. -#}
{% macro name_key(column) -%}
case when {{ fold(column) }} in ('unknown', 'n a', 'na', 'none', 'null', 'test', 'tbd', 'x', 'xx', 'xxx', 'unbekannt',
        'inconnu', 'desconocido', 'brak', 'info', 'contact', 'not provided', 'no name') then null
    else nullif(replace(replace(replace(replace({{ fold(column) }}, 'ae', 'a'), 'oe', 'o'), 'ue', 'u'), ' ', ''), '') end
{%- endmacro %}

{#- The words of a name before they are drawn together, for "Hans Peter" against "Hans". -#}
{% macro first_word(column) -%}
nullif(split_part(replace(replace(replace(coalesce({{ fold(column) }}, ''), 'ae', 'a'), 'oe', 'o'), 'ue', 'u'), ' ', 1), '')
{%- endmacro %}

{#- An address as it can be shown and mailed: spaces, mailto: and stray end points gone, lower case. -#}
{% macro clean_email(column) -%}
nullif(rtrim(ltrim(regexp_replace(regexp_replace(lower({{ column }}), '\s+', '', 'g'), '^mailto:', ''), '<('), '>),.;'), '')
{%- endmacro %}

{#- The same where it is a valid address, else NULL: an invalid one links nobody. -#}
{% macro email_key(column) -%}
case when regexp_matches({{ clean_email(column) }},
        '^[a-z0-9!#$%&''*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$')
    then {{ clean_email(column) }} end
{%- endmacro %}

{#- Digits of a phone number without extension, country code and trunk zero, so that +49 (0)30 1234567,
    0049 30 1234567 and 030 1234567 are one number. NULL below six digits and for one digit repeated. -#}
{% macro phone_key(column) -%}
{%- set plain = "replace(regexp_replace(lower(" ~ column ~ "), '\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''), '(0)', '')" -%}
{%- set international = "regexp_matches(trim(" ~ plain ~ "), '^(\\(?\\+|00)')" -%}
{%- set digits = "ltrim(regexp_replace(" ~ plain ~ ", '[^0-9]', '', 'g'), '0')" -%}
{%- set national = "ltrim(case when " ~ international ~ " then regexp_replace(" ~ digits ~
    ", '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])', '') else " ~ digits ~ " end, '0')" -%}
case when length({{ national }}) >= 6 and length(replace({{ national }}, substr({{ national }}, 1, 1), '')) > 0
    then {{ national }} end
{%- endmacro %}

{% macro postcode_key(column) -%}
nullif(regexp_replace(upper({{ column }}), '[^A-Z0-9]', '', 'g'), '')
{%- endmacro %}

{#- Street lines: folded, the commonest words for "street" in one short form, also where they end a compound. -#}
{% macro street_key(column) -%}
nullif(trim(regexp_replace(regexp_replace(regexp_replace(regexp_replace(' ' || coalesce({{ fold(column) }}, '') || ' ',
    '(strasse|str) ', 'st ', 'g'), ' (street|saint|sankt) ', ' st ', 'g'), ' road ', ' rd ', 'g'),
    ' (avenue|av) ', ' ave ', 'g')), '')
{%- endmacro %}

{#- What tells one road from another: street_key without numbers and the words that every second road has. -#}
{% macro road_key(column) -%}
nullif(trim(regexp_replace(regexp_replace(' ' || {{ column }} || ' ',
    ' ([0-9]+[a-z]?|st|rd|ave|lane|place|court|close|drive|crescent|circuit|way|square|boulevard|blvd|platz|weg|allee|rue|place|impasse|chemin|allee|calle|avenida|plaza|paseo|camino|ul|al|os|via|piazza|corso|ulica|the|de|la|le|les|du|des|del|der|den|dem|am|im|an|zum|zur)( ([0-9]+[a-z]?|st|rd|ave|lane|place|rue|de|la|le|les|du|des|del|der|the))* ', ' ', 'g'), ' +', ' ', 'g')), '')
{%- endmacro %}

{#- The first number of the street lines. -#}
{% macro house_number(column) -%}
nullif(ltrim(regexp_extract({{ column }}, '[0-9]+'), '0'), '')
{%- endmacro %}

{#- A birth date that can be one: no stand-ins such as 1900-01-01 and 1970-01-01, nothing before 1900. -#}
{% macro birth_date(column) -%}
case when {{ column }} > date '1900-01-01' and {{ column }} <> date '1970-01-01' and {{ column }} < date '2100-01-01'
    then {{ column }} end
{%- endmacro %}

{#- How a name sounds, roughly (Soundex): first letter and up to three consonant classes. Other scripts than Latin
    keep their first four letters. -#}
{% macro sound(column) -%}
substr(substr({{ column }}, 1, 1) || replace(
    {%- set classes = "translate(substr(" ~ column ~ ", 2), 'bfpvcgjkqsxzdtlmnraeiouyhw', '11112222222233455600000000')" -%}
    {%- set ns = namespace(text=classes) -%}
    {%- for digit in ['0', '1', '2', '3', '4', '5', '6'] -%}
        {%- set ns.text = "replace(replace(" ~ ns.text ~ ", '" ~ digit * 3 ~ "', '" ~ digit ~ "'), '" ~ digit * 2 ~ "', '" ~ digit ~ "')" -%}
    {%- endfor -%}
    {{ ns.text }}, '0', ''), 1, 4)
{%- endmacro %}
