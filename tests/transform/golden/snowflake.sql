-- stg_departed
SELECT
  'salesforce:Contact:' || "HISTORY"."ID" AS "RECORD_KEY",
  'salesforce' AS "ACCOUNT",
  'Contact' AS "OBJECT",
  "HISTORY"."ID" AS "RECORD_ID",
  MAX(CASE WHEN "HISTORY"."VERSION_RANK" = 1 THEN "HISTORY"."SURVIVOR_KEY" END) AS "SURVIVOR_KEY",
  MAX(CASE WHEN "HISTORY"."VERSION_RANK" = 1 THEN "HISTORY"."STAMP" END) AS "DEPARTED_AT",
  MAX(
    CASE
      WHEN "HISTORY"."LIVE_RANK" = 1 AND NOT "HISTORY"."IS_DELETED"
      THEN "HISTORY"."EMAIL_KEY"
    END
  ) AS "EMAIL_KEY",
  COALESCE(
    BOOLOR_AGG(
      "HISTORY"."LIVE_RANK" = 1 AND NOT "HISTORY"."IS_DELETED" AND "HISTORY"."OPTED_OUT"
    ),
    FALSE
  ) AS "OPTED_OUT"
FROM (
  SELECT
    "SALESFORCE__CONTACT"."ID" AS "ID",
    "SALESFORCE__CONTACT"."SYSTEMMODSTAMP" AS "STAMP",
    COALESCE("SALESFORCE__CONTACT"."_BACKHAUL_DELETED", FALSE) AS "IS_DELETED",
    COALESCE("SALESFORCE__CONTACT"."_BACKHAUL_DELETED", FALSE) OR FALSE AS "IS_GONE",
    'salesforce:Contact:' || COALESCE("SALESFORCE__CONTACT"."_BACKHAUL_SURVIVOR", NULL) AS "SURVIVOR_KEY",
    CASE
      WHEN REGEXP_COUNT(
        NULLIF(
          RTRIM(
            LTRIM(
              REGEXP_REPLACE(
                REGEXP_REPLACE(LOWER("SALESFORCE__CONTACT"."EMAIL"), '[ \\t\\n\\f\\r]+', ''),
                '^mailto:',
                ''
              ),
              '<('
            ),
            '>),.;'
          ),
          ''
        ),
        '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
      ) > 0
      THEN NULLIF(
        RTRIM(
          LTRIM(
            REGEXP_REPLACE(
              REGEXP_REPLACE(LOWER("SALESFORCE__CONTACT"."EMAIL"), '[ \\t\\n\\f\\r]+', ''),
              '^mailto:',
              ''
            ),
            '<('
          ),
          '>),.;'
        ),
        ''
      )
    END AS "EMAIL_KEY",
    COALESCE("SALESFORCE__CONTACT"."HASOPTEDOUTOFEMAIL", FALSE) AS "OPTED_OUT",
    ROW_NUMBER() OVER (
      PARTITION BY "SALESFORCE__CONTACT"."ID"
      ORDER BY "SALESFORCE__CONTACT"."SYSTEMMODSTAMP" DESC NULLS LAST, "SALESFORCE__CONTACT"."_BACKHAUL_SEEN_AT" DESC NULLS LAST, "SALESFORCE__CONTACT"."_DLT_LOAD_ID" DESC NULLS LAST
    ) AS "VERSION_RANK",
    ROW_NUMBER() OVER (
      PARTITION BY "SALESFORCE__CONTACT"."ID", COALESCE("SALESFORCE__CONTACT"."_BACKHAUL_DELETED", FALSE)
      ORDER BY "SALESFORCE__CONTACT"."SYSTEMMODSTAMP" DESC NULLS LAST, "SALESFORCE__CONTACT"."_BACKHAUL_SEEN_AT" DESC NULLS LAST, "SALESFORCE__CONTACT"."_DLT_LOAD_ID" DESC NULLS LAST
    ) AS "LIVE_RANK"
  FROM "RAW"."SALESFORCE__CONTACT" AS "SALESFORCE__CONTACT"
) AS "HISTORY"
GROUP BY
  "HISTORY"."ID"
HAVING
  BOOLOR_AGG("HISTORY"."VERSION_RANK" = 1 AND "HISTORY"."IS_GONE")
UNION ALL
SELECT
  'salesforce:Lead:' || "HISTORY"."ID" AS "RECORD_KEY",
  'salesforce' AS "ACCOUNT",
  'Lead' AS "OBJECT",
  "HISTORY"."ID" AS "RECORD_ID",
  MAX(CASE WHEN "HISTORY"."VERSION_RANK" = 1 THEN "HISTORY"."SURVIVOR_KEY" END) AS "SURVIVOR_KEY",
  MAX(CASE WHEN "HISTORY"."VERSION_RANK" = 1 THEN "HISTORY"."STAMP" END) AS "DEPARTED_AT",
  MAX(
    CASE
      WHEN "HISTORY"."LIVE_RANK" = 1 AND NOT "HISTORY"."IS_DELETED"
      THEN "HISTORY"."EMAIL_KEY"
    END
  ) AS "EMAIL_KEY",
  COALESCE(
    BOOLOR_AGG(
      "HISTORY"."LIVE_RANK" = 1 AND NOT "HISTORY"."IS_DELETED" AND "HISTORY"."OPTED_OUT"
    ),
    FALSE
  ) AS "OPTED_OUT"
FROM (
  SELECT
    "SALESFORCE__LEAD"."ID" AS "ID",
    "SALESFORCE__LEAD"."SYSTEMMODSTAMP" AS "STAMP",
    COALESCE("SALESFORCE__LEAD"."_BACKHAUL_DELETED", FALSE) AS "IS_DELETED",
    COALESCE("SALESFORCE__LEAD"."_BACKHAUL_DELETED", FALSE) OR FALSE AS "IS_GONE",
    'salesforce:Lead:' || COALESCE("SALESFORCE__LEAD"."_BACKHAUL_SURVIVOR", NULL) AS "SURVIVOR_KEY",
    CASE
      WHEN REGEXP_COUNT(
        NULLIF(
          RTRIM(
            LTRIM(
              REGEXP_REPLACE(
                REGEXP_REPLACE(LOWER("SALESFORCE__LEAD"."EMAIL"), '[ \\t\\n\\f\\r]+', ''),
                '^mailto:',
                ''
              ),
              '<('
            ),
            '>),.;'
          ),
          ''
        ),
        '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
      ) > 0
      THEN NULLIF(
        RTRIM(
          LTRIM(
            REGEXP_REPLACE(
              REGEXP_REPLACE(LOWER("SALESFORCE__LEAD"."EMAIL"), '[ \\t\\n\\f\\r]+', ''),
              '^mailto:',
              ''
            ),
            '<('
          ),
          '>),.;'
        ),
        ''
      )
    END AS "EMAIL_KEY",
    COALESCE("SALESFORCE__LEAD"."HASOPTEDOUTOFEMAIL", FALSE) AS "OPTED_OUT",
    ROW_NUMBER() OVER (
      PARTITION BY "SALESFORCE__LEAD"."ID"
      ORDER BY "SALESFORCE__LEAD"."SYSTEMMODSTAMP" DESC NULLS LAST, "SALESFORCE__LEAD"."_BACKHAUL_SEEN_AT" DESC NULLS LAST, "SALESFORCE__LEAD"."_DLT_LOAD_ID" DESC NULLS LAST
    ) AS "VERSION_RANK",
    ROW_NUMBER() OVER (
      PARTITION BY "SALESFORCE__LEAD"."ID", COALESCE("SALESFORCE__LEAD"."_BACKHAUL_DELETED", FALSE)
      ORDER BY "SALESFORCE__LEAD"."SYSTEMMODSTAMP" DESC NULLS LAST, "SALESFORCE__LEAD"."_BACKHAUL_SEEN_AT" DESC NULLS LAST, "SALESFORCE__LEAD"."_DLT_LOAD_ID" DESC NULLS LAST
    ) AS "LIVE_RANK"
  FROM "RAW"."SALESFORCE__LEAD" AS "SALESFORCE__LEAD"
) AS "HISTORY"
GROUP BY
  "HISTORY"."ID"
HAVING
  BOOLOR_AGG("HISTORY"."VERSION_RANK" = 1 AND "HISTORY"."IS_GONE")
UNION ALL
SELECT
  'dynamics:contact:' || "HISTORY"."CONTACTID" AS "RECORD_KEY",
  'dynamics' AS "ACCOUNT",
  'contact' AS "OBJECT",
  "HISTORY"."CONTACTID" AS "RECORD_ID",
  MAX(CASE WHEN "HISTORY"."VERSION_RANK" = 1 THEN "HISTORY"."SURVIVOR_KEY" END) AS "SURVIVOR_KEY",
  MAX(CASE WHEN "HISTORY"."VERSION_RANK" = 1 THEN "HISTORY"."STAMP" END) AS "DEPARTED_AT",
  MAX(
    CASE
      WHEN "HISTORY"."LIVE_RANK" = 1 AND NOT "HISTORY"."IS_DELETED"
      THEN "HISTORY"."EMAIL_KEY"
    END
  ) AS "EMAIL_KEY",
  COALESCE(
    BOOLOR_AGG(
      "HISTORY"."LIVE_RANK" = 1 AND NOT "HISTORY"."IS_DELETED" AND "HISTORY"."OPTED_OUT"
    ),
    FALSE
  ) AS "OPTED_OUT"
FROM (
  SELECT
    "DYNAMICS__CONTACT"."CONTACTID" AS "CONTACTID",
    "DYNAMICS__CONTACT"."MODIFIEDON" AS "STAMP",
    COALESCE("DYNAMICS__CONTACT"."_BACKHAUL_DELETED", FALSE) AS "IS_DELETED",
    COALESCE("DYNAMICS__CONTACT"."_BACKHAUL_DELETED", FALSE)
    OR COALESCE("DYNAMICS__CONTACT"."MERGED", FALSE) AS "IS_GONE",
    'dynamics:contact:' || COALESCE("DYNAMICS__CONTACT"."_BACKHAUL_SURVIVOR", "DYNAMICS__CONTACT"."MASTERID") AS "SURVIVOR_KEY",
    CASE
      WHEN REGEXP_COUNT(
        NULLIF(
          RTRIM(
            LTRIM(
              REGEXP_REPLACE(
                REGEXP_REPLACE(LOWER("DYNAMICS__CONTACT"."EMAILADDRESS1"), '[ \\t\\n\\f\\r]+', ''),
                '^mailto:',
                ''
              ),
              '<('
            ),
            '>),.;'
          ),
          ''
        ),
        '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
      ) > 0
      THEN NULLIF(
        RTRIM(
          LTRIM(
            REGEXP_REPLACE(
              REGEXP_REPLACE(LOWER("DYNAMICS__CONTACT"."EMAILADDRESS1"), '[ \\t\\n\\f\\r]+', ''),
              '^mailto:',
              ''
            ),
            '<('
          ),
          '>),.;'
        ),
        ''
      )
    END AS "EMAIL_KEY",
    COALESCE("DYNAMICS__CONTACT"."DONOTBULKEMAIL" OR "DYNAMICS__CONTACT"."DONOTEMAIL", FALSE) AS "OPTED_OUT",
    ROW_NUMBER() OVER (
      PARTITION BY "DYNAMICS__CONTACT"."CONTACTID"
      ORDER BY "DYNAMICS__CONTACT"."MODIFIEDON" DESC NULLS LAST, "DYNAMICS__CONTACT"."_BACKHAUL_SEEN_AT" DESC NULLS LAST, "DYNAMICS__CONTACT"."_DLT_LOAD_ID" DESC NULLS LAST
    ) AS "VERSION_RANK",
    ROW_NUMBER() OVER (
      PARTITION BY "DYNAMICS__CONTACT"."CONTACTID", COALESCE("DYNAMICS__CONTACT"."_BACKHAUL_DELETED", FALSE)
      ORDER BY "DYNAMICS__CONTACT"."MODIFIEDON" DESC NULLS LAST, "DYNAMICS__CONTACT"."_BACKHAUL_SEEN_AT" DESC NULLS LAST, "DYNAMICS__CONTACT"."_DLT_LOAD_ID" DESC NULLS LAST
    ) AS "LIVE_RANK"
  FROM "RAW"."DYNAMICS__CONTACT" AS "DYNAMICS__CONTACT"
) AS "HISTORY"
GROUP BY
  "HISTORY"."CONTACTID"
HAVING
  BOOLOR_AGG("HISTORY"."VERSION_RANK" = 1 AND "HISTORY"."IS_GONE")
UNION ALL
SELECT
  'dynamics:lead:' || "HISTORY"."LEADID" AS "RECORD_KEY",
  'dynamics' AS "ACCOUNT",
  'lead' AS "OBJECT",
  "HISTORY"."LEADID" AS "RECORD_ID",
  MAX(CASE WHEN "HISTORY"."VERSION_RANK" = 1 THEN "HISTORY"."SURVIVOR_KEY" END) AS "SURVIVOR_KEY",
  MAX(CASE WHEN "HISTORY"."VERSION_RANK" = 1 THEN "HISTORY"."STAMP" END) AS "DEPARTED_AT",
  MAX(
    CASE
      WHEN "HISTORY"."LIVE_RANK" = 1 AND NOT "HISTORY"."IS_DELETED"
      THEN "HISTORY"."EMAIL_KEY"
    END
  ) AS "EMAIL_KEY",
  COALESCE(
    BOOLOR_AGG(
      "HISTORY"."LIVE_RANK" = 1 AND NOT "HISTORY"."IS_DELETED" AND "HISTORY"."OPTED_OUT"
    ),
    FALSE
  ) AS "OPTED_OUT"
FROM (
  SELECT
    "DYNAMICS__LEAD"."LEADID" AS "LEADID",
    "DYNAMICS__LEAD"."MODIFIEDON" AS "STAMP",
    COALESCE("DYNAMICS__LEAD"."_BACKHAUL_DELETED", FALSE) AS "IS_DELETED",
    COALESCE("DYNAMICS__LEAD"."_BACKHAUL_DELETED", FALSE) OR FALSE AS "IS_GONE",
    'dynamics:lead:' || COALESCE("DYNAMICS__LEAD"."_BACKHAUL_SURVIVOR", NULL) AS "SURVIVOR_KEY",
    CASE
      WHEN REGEXP_COUNT(
        NULLIF(
          RTRIM(
            LTRIM(
              REGEXP_REPLACE(
                REGEXP_REPLACE(LOWER("DYNAMICS__LEAD"."EMAILADDRESS1"), '[ \\t\\n\\f\\r]+', ''),
                '^mailto:',
                ''
              ),
              '<('
            ),
            '>),.;'
          ),
          ''
        ),
        '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
      ) > 0
      THEN NULLIF(
        RTRIM(
          LTRIM(
            REGEXP_REPLACE(
              REGEXP_REPLACE(LOWER("DYNAMICS__LEAD"."EMAILADDRESS1"), '[ \\t\\n\\f\\r]+', ''),
              '^mailto:',
              ''
            ),
            '<('
          ),
          '>),.;'
        ),
        ''
      )
    END AS "EMAIL_KEY",
    COALESCE("DYNAMICS__LEAD"."DONOTBULKEMAIL", FALSE) AS "OPTED_OUT",
    ROW_NUMBER() OVER (
      PARTITION BY "DYNAMICS__LEAD"."LEADID"
      ORDER BY "DYNAMICS__LEAD"."MODIFIEDON" DESC NULLS LAST, "DYNAMICS__LEAD"."_BACKHAUL_SEEN_AT" DESC NULLS LAST, "DYNAMICS__LEAD"."_DLT_LOAD_ID" DESC NULLS LAST
    ) AS "VERSION_RANK",
    ROW_NUMBER() OVER (
      PARTITION BY "DYNAMICS__LEAD"."LEADID", COALESCE("DYNAMICS__LEAD"."_BACKHAUL_DELETED", FALSE)
      ORDER BY "DYNAMICS__LEAD"."MODIFIEDON" DESC NULLS LAST, "DYNAMICS__LEAD"."_BACKHAUL_SEEN_AT" DESC NULLS LAST, "DYNAMICS__LEAD"."_DLT_LOAD_ID" DESC NULLS LAST
    ) AS "LIVE_RANK"
  FROM "RAW"."DYNAMICS__LEAD" AS "DYNAMICS__LEAD"
) AS "HISTORY"
GROUP BY
  "HISTORY"."LEADID"
HAVING
  BOOLOR_AGG("HISTORY"."VERSION_RANK" = 1 AND "HISTORY"."IS_GONE");

-- stg_dynamics_contact
WITH "VERSIONS" AS (
  SELECT
    "DYNAMICS__CONTACT"."CONTACTID" AS "RECORD_ID",
    "DYNAMICS__CONTACT"."SALUTATION" AS "SALUTATION",
    "DYNAMICS__CONTACT"."FIRSTNAME" AS "FIRST_NAME",
    "DYNAMICS__CONTACT"."LASTNAME" AS "LAST_NAME",
    "DYNAMICS__CONTACT"."EMAILADDRESS1" AS "EMAIL",
    "DYNAMICS__CONTACT"."TELEPHONE1" AS "PHONE",
    "DYNAMICS__CONTACT"."MOBILEPHONE" AS "MOBILE_PHONE",
    SUBSTR(
      '' || COALESCE(CHR(  10) || "DYNAMICS__CONTACT"."ADDRESS1_LINE1", '') || COALESCE(CHR(  10) || "DYNAMICS__CONTACT"."ADDRESS1_LINE2", ''),
      LENGTH(CHR(  10)) + 1
    ) AS "STREET",
    "DYNAMICS__CONTACT"."ADDRESS1_CITY" AS "CITY",
    "DYNAMICS__CONTACT"."ADDRESS1_STATEORPROVINCE" AS "STATE",
    "DYNAMICS__CONTACT"."ADDRESS1_POSTALCODE" AS "POSTAL_CODE",
    "DYNAMICS__CONTACT"."ADDRESS1_COUNTRY" AS "COUNTRY",
    CAST(NULL AS VARCHAR) AS "COMPANY",
    "DYNAMICS__CONTACT"."JOBTITLE" AS "JOB_TITLE",
    CAST(NULL AS VARCHAR) AS "LEAD_SOURCE",
    "DYNAMICS__CONTACT"."BIRTHDATE" AS "BIRTH_DATE",
    COALESCE("DYNAMICS__CONTACT"."DONOTBULKEMAIL", FALSE)
    OR COALESCE("DYNAMICS__CONTACT"."DONOTEMAIL", FALSE) AS "OPTED_OUT",
    "DYNAMICS__CONTACT"."DONOTPHONE" AS "DO_NOT_CALL",
    "DYNAMICS__CONTACT"."NEW_MEMBERNUMBER" AS "MEMBER_NUMBER",
    CAST("DYNAMICS__CONTACT"."NEW_CAMPAIGNSCORE" AS DECIMAL(5, 1)) AS "CAMPAIGN_SCORE",
    "DYNAMICS__CONTACT"."NEW_LASTOPEN" AS "LAST_OPEN_AT",
    CAST(NULL AS VARCHAR) AS "CONVERTED_TO_ID",
    COALESCE("DYNAMICS__CONTACT"."MERGED", FALSE) AS "IS_MERGED",
    FALSE AS "IS_READ_ONLY",
    "DYNAMICS__CONTACT"."CREATEDON" AS "CREATED_AT",
    "DYNAMICS__CONTACT"."MODIFIEDON" AS "MODIFIED_AT",
    COALESCE("DYNAMICS__CONTACT"."_BACKHAUL_DELETED", FALSE) AS "IS_DELETED",
    "DYNAMICS__CONTACT"."_BACKHAUL_SURVIVOR" AS "SURVIVOR_ID",
    ROW_NUMBER() OVER (
      PARTITION BY "DYNAMICS__CONTACT"."CONTACTID"
      ORDER BY "DYNAMICS__CONTACT"."MODIFIEDON" DESC NULLS LAST, "DYNAMICS__CONTACT"."_BACKHAUL_SEEN_AT" DESC NULLS LAST, "DYNAMICS__CONTACT"."_DLT_LOAD_ID" DESC NULLS LAST
    ) AS "VERSION_RANK",
    "DYNAMICS__CONTACT"."_BACKHAUL_SEEN_AT" AS "SEEN_AT",
    MD5(
      SUBSTR(
        '' || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."SALUTATION" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."FIRSTNAME" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."LASTNAME" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."EMAILADDRESS1" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."TELEPHONE1" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."MOBILEPHONE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."ADDRESS1_LINE1" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."ADDRESS1_LINE2" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."ADDRESS1_CITY" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."ADDRESS1_STATEORPROVINCE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."ADDRESS1_POSTALCODE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."ADDRESS1_COUNTRY" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."JOBTITLE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."DEPARTMENT" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."BIRTHDATE" AS VARCHAR), CHR(  30)),
          ''
        ),
        LENGTH(CHR(  31)) + 1
      )
    ) AS "CONTENT_MARK",
    LAG(
      MD5(
        SUBSTR(
          '' || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."SALUTATION" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."FIRSTNAME" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."LASTNAME" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."EMAILADDRESS1" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."TELEPHONE1" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."MOBILEPHONE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."ADDRESS1_LINE1" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."ADDRESS1_LINE2" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."ADDRESS1_CITY" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."ADDRESS1_STATEORPROVINCE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."ADDRESS1_POSTALCODE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."ADDRESS1_COUNTRY" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."JOBTITLE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."DEPARTMENT" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__CONTACT"."BIRTHDATE" AS VARCHAR), CHR(  30)),
            ''
          ),
          LENGTH(CHR(  31)) + 1
        )
      )
    ) OVER (
      PARTITION BY "DYNAMICS__CONTACT"."CONTACTID"
      ORDER BY "DYNAMICS__CONTACT"."MODIFIEDON" ASC NULLS FIRST, "DYNAMICS__CONTACT"."_BACKHAUL_SEEN_AT" ASC, "DYNAMICS__CONTACT"."_DLT_LOAD_ID" ASC
    ) AS "CONTENT_MARK_BEFORE",
    COALESCE("DYNAMICS__CONTACT"."EMAILADDRESS1", '') AS "EMAIL_MARK",
    LAG(COALESCE("DYNAMICS__CONTACT"."EMAILADDRESS1", '')) OVER (
      PARTITION BY "DYNAMICS__CONTACT"."CONTACTID"
      ORDER BY "DYNAMICS__CONTACT"."MODIFIEDON" ASC NULLS FIRST, "DYNAMICS__CONTACT"."_BACKHAUL_SEEN_AT" ASC, "DYNAMICS__CONTACT"."_DLT_LOAD_ID" ASC
    ) AS "EMAIL_MARK_BEFORE"
  FROM "RAW"."DYNAMICS__CONTACT" AS "DYNAMICS__CONTACT"
), "NEWEST" AS (
  SELECT
    "VERSIONS"."RECORD_ID" AS "RECORD_ID",
    "VERSIONS"."SALUTATION" AS "SALUTATION",
    "VERSIONS"."FIRST_NAME" AS "FIRST_NAME",
    "VERSIONS"."LAST_NAME" AS "LAST_NAME",
    "VERSIONS"."EMAIL" AS "EMAIL",
    "VERSIONS"."PHONE" AS "PHONE",
    "VERSIONS"."MOBILE_PHONE" AS "MOBILE_PHONE",
    "VERSIONS"."STREET" AS "STREET",
    "VERSIONS"."CITY" AS "CITY",
    "VERSIONS"."STATE" AS "STATE",
    "VERSIONS"."POSTAL_CODE" AS "POSTAL_CODE",
    "VERSIONS"."COUNTRY" AS "COUNTRY",
    "VERSIONS"."COMPANY" AS "COMPANY",
    "VERSIONS"."JOB_TITLE" AS "JOB_TITLE",
    "VERSIONS"."LEAD_SOURCE" AS "LEAD_SOURCE",
    "VERSIONS"."BIRTH_DATE" AS "BIRTH_DATE",
    "VERSIONS"."OPTED_OUT" AS "OPTED_OUT",
    "VERSIONS"."DO_NOT_CALL" AS "DO_NOT_CALL",
    "VERSIONS"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    "VERSIONS"."CAMPAIGN_SCORE" AS "CAMPAIGN_SCORE",
    "VERSIONS"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
    "VERSIONS"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
    "VERSIONS"."IS_MERGED" AS "IS_MERGED",
    "VERSIONS"."IS_READ_ONLY" AS "IS_READ_ONLY",
    "VERSIONS"."CREATED_AT" AS "CREATED_AT",
    "VERSIONS"."MODIFIED_AT" AS "MODIFIED_AT",
    "VERSIONS"."IS_DELETED" AS "IS_DELETED",
    "VERSIONS"."SURVIVOR_ID" AS "SURVIVOR_ID",
    "VERSIONS"."VERSION_RANK" AS "VERSION_RANK",
    "VERSIONS"."SEEN_AT" AS "SEEN_AT",
    "VERSIONS"."CONTENT_MARK" AS "CONTENT_MARK",
    "VERSIONS"."CONTENT_MARK_BEFORE" AS "CONTENT_MARK_BEFORE",
    "VERSIONS"."EMAIL_MARK" AS "EMAIL_MARK",
    "VERSIONS"."EMAIL_MARK_BEFORE" AS "EMAIL_MARK_BEFORE",
    MAX(
      CASE
        WHEN "VERSIONS"."CONTENT_MARK" IS DISTINCT FROM "VERSIONS"."CONTENT_MARK_BEFORE"
        THEN "VERSIONS"."MODIFIED_AT"
      END
    ) OVER (PARTITION BY "VERSIONS"."RECORD_ID") AS "CONTENT_CHANGED_AT",
    MAX(
      CASE
        WHEN "VERSIONS"."EMAIL_MARK" IS DISTINCT FROM "VERSIONS"."EMAIL_MARK_BEFORE"
        THEN "VERSIONS"."MODIFIED_AT"
      END
    ) OVER (PARTITION BY "VERSIONS"."RECORD_ID") AS "EMAIL_CHANGED_AT",
    MIN("VERSIONS"."SEEN_AT") OVER (PARTITION BY "VERSIONS"."RECORD_ID") AS "FIRST_SEEN_AT"
  FROM "VERSIONS" AS "VERSIONS"
)
SELECT
  'dynamics:contact:' || "NEWEST"."RECORD_ID" AS "RECORD_KEY",
  'dynamics' AS "ACCOUNT",
  'contact' AS "OBJECT",
  "NEWEST"."RECORD_ID" AS "RECORD_ID",
  NULLIF(TRIM("NEWEST"."SALUTATION", '                　'), '') AS "SALUTATION",
  NULLIF(
    TRIM(
      REGEXP_REPLACE("NEWEST"."FIRST_NAME", '[ \\t\\n\\f\\r]+', ' '),
      '                　'
    ),
    ''
  ) AS "FIRST_NAME",
  NULLIF(
    TRIM(REGEXP_REPLACE("NEWEST"."LAST_NAME", '[ \\t\\n\\f\\r]+', ' '), '                　'),
    ''
  ) AS "LAST_NAME",
  NULLIF(
    RTRIM(
      LTRIM(
        REGEXP_REPLACE(REGEXP_REPLACE(LOWER("NEWEST"."EMAIL"), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''),
        '<('
      ),
      '>),.;'
    ),
    ''
  ) AS "EMAIL",
  NULLIF(TRIM("NEWEST"."PHONE", '                　'), '') AS "PHONE",
  NULLIF(TRIM("NEWEST"."MOBILE_PHONE", '                　'), '') AS "MOBILE_PHONE",
  NULLIF(TRIM("NEWEST"."STREET", '                　'), '') AS "STREET",
  NULLIF(TRIM("NEWEST"."CITY", '                　'), '') AS "CITY",
  NULLIF(TRIM("NEWEST"."STATE", '                　'), '') AS "STATE",
  NULLIF(TRIM("NEWEST"."POSTAL_CODE", '                　'), '') AS "POSTAL_CODE",
  NULLIF(TRIM("NEWEST"."COUNTRY", '                　'), '') AS "COUNTRY",
  NULLIF(TRIM("NEWEST"."COMPANY", '                　'), '') AS "COMPANY",
  NULLIF(TRIM("NEWEST"."JOB_TITLE", '                　'), '') AS "JOB_TITLE",
  NULLIF(TRIM("NEWEST"."LEAD_SOURCE", '                　'), '') AS "LEAD_SOURCE",
  CASE
    WHEN "NEWEST"."BIRTH_DATE" > CAST('1900-01-01' AS DATE)
    AND "NEWEST"."BIRTH_DATE" <> CAST('1970-01-01' AS DATE)
    AND "NEWEST"."BIRTH_DATE" < CAST('2100-01-01' AS DATE)
    THEN "NEWEST"."BIRTH_DATE"
  END AS "BIRTH_DATE",
  COALESCE("NEWEST"."OPTED_OUT", FALSE) AS "OPTED_OUT",
  COALESCE("NEWEST"."DO_NOT_CALL", FALSE) AS "DO_NOT_CALL",
  NULLIF(TRIM("NEWEST"."MEMBER_NUMBER", '                　'), '') AS "MEMBER_NUMBER",
  "NEWEST"."CAMPAIGN_SCORE" AS "CAMPAIGN_SCORE",
  "NEWEST"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
  "NEWEST"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
  "NEWEST"."IS_READ_ONLY" AS "IS_READ_ONLY",
  "NEWEST"."CREATED_AT" AS "CREATED_AT",
  "NEWEST"."MODIFIED_AT" AS "MODIFIED_AT",
  "NEWEST"."CONTENT_CHANGED_AT" AS "CONTENT_CHANGED_AT",
  "NEWEST"."EMAIL_CHANGED_AT" AS "EMAIL_CHANGED_AT",
  "NEWEST"."FIRST_SEEN_AT" AS "FIRST_SEEN_AT",
  "NEWEST"."SEEN_AT" AS "SEEN_AT",
  CASE
    WHEN REGEXP_COUNT(
      NULLIF(
        RTRIM(
          LTRIM(
            REGEXP_REPLACE(REGEXP_REPLACE(LOWER("NEWEST"."EMAIL"), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''),
            '<('
          ),
          '>),.;'
        ),
        ''
      ),
      '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    ) > 0
    THEN NULLIF(
      RTRIM(
        LTRIM(
          REGEXP_REPLACE(REGEXP_REPLACE(LOWER("NEWEST"."EMAIL"), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''),
          '<('
        ),
        '>),.;'
      ),
      ''
    )
  END AS "EMAIL_KEY",
  CASE
    WHEN LENGTH(
      LTRIM(
        CASE
          WHEN REGEXP_COUNT(
            TRIM(
              REPLACE(
                REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '                　'
            ),
            '^(\\(?\\+|00)'
          ) > 0
          THEN REGEXP_REPLACE(
            LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            ),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          )
        END,
        '0'
      )
    ) >= 6
    AND LENGTH(
      REPLACE(
        LTRIM(
          CASE
            WHEN REGEXP_COUNT(
              TRIM(
                REPLACE(
                  REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '                　'
              ),
              '^(\\(?\\+|00)'
            ) > 0
            THEN REGEXP_REPLACE(
              LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              ),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            )
          END,
          '0'
        ),
        SUBSTRING(
          LTRIM(
            CASE
              WHEN REGEXP_COUNT(
                TRIM(
                  REPLACE(
                    REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '                　'
                ),
                '^(\\(?\\+|00)'
              ) > 0
              THEN REGEXP_REPLACE(
                LTRIM(
                  REGEXP_REPLACE(
                    REPLACE(
                      REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                      '(0)',
                      ''
                    ),
                    '[^0-9]',
                    ''
                  ),
                  '0'
                ),
                '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              )
            END,
            '0'
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN LTRIM(
      CASE
        WHEN REGEXP_COUNT(
          TRIM(
            REPLACE(
              REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '                　'
          ),
          '^(\\(?\\+|00)'
        ) > 0
        THEN REGEXP_REPLACE(
          LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          ),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE LTRIM(
          REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ),
          '0'
        )
      END,
      '0'
    )
  END AS "PHONE_KEY",
  CASE
    WHEN LENGTH(
      LTRIM(
        CASE
          WHEN REGEXP_COUNT(
            TRIM(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER("NEWEST"."MOBILE_PHONE"),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '                　'
            ),
            '^(\\(?\\+|00)'
          ) > 0
          THEN REGEXP_REPLACE(
            LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER("NEWEST"."MOBILE_PHONE"),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            ),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER("NEWEST"."MOBILE_PHONE"),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          )
        END,
        '0'
      )
    ) >= 6
    AND LENGTH(
      REPLACE(
        LTRIM(
          CASE
            WHEN REGEXP_COUNT(
              TRIM(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER("NEWEST"."MOBILE_PHONE"),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '                　'
              ),
              '^(\\(?\\+|00)'
            ) > 0
            THEN REGEXP_REPLACE(
              LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(
                      LOWER("NEWEST"."MOBILE_PHONE"),
                      '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              ),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER("NEWEST"."MOBILE_PHONE"),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            )
          END,
          '0'
        ),
        SUBSTRING(
          LTRIM(
            CASE
              WHEN REGEXP_COUNT(
                TRIM(
                  REPLACE(
                    REGEXP_REPLACE(
                      LOWER("NEWEST"."MOBILE_PHONE"),
                      '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '                　'
                ),
                '^(\\(?\\+|00)'
              ) > 0
              THEN REGEXP_REPLACE(
                LTRIM(
                  REGEXP_REPLACE(
                    REPLACE(
                      REGEXP_REPLACE(
                        LOWER("NEWEST"."MOBILE_PHONE"),
                        '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                        ''
                      ),
                      '(0)',
                      ''
                    ),
                    '[^0-9]',
                    ''
                  ),
                  '0'
                ),
                '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(
                      LOWER("NEWEST"."MOBILE_PHONE"),
                      '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              )
            END,
            '0'
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN LTRIM(
      CASE
        WHEN REGEXP_COUNT(
          TRIM(
            REPLACE(
              REGEXP_REPLACE(
                LOWER("NEWEST"."MOBILE_PHONE"),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '                　'
          ),
          '^(\\(?\\+|00)'
        ) > 0
        THEN REGEXP_REPLACE(
          LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER("NEWEST"."MOBILE_PHONE"),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          ),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE LTRIM(
          REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(
                LOWER("NEWEST"."MOBILE_PHONE"),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ),
          '0'
        )
      END,
      '0'
    )
  END AS "MOBILE_KEY",
  CASE
    WHEN NULLIF(
      TRIM(
        "BACKHAUL".SIGNS_REPLACED(
          REPLACE(
            REPLACE(
              REPLACE(
                TRANSLATE(
                  "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."FIRST_NAME" AS VARCHAR))),
                  'øłđıςþ',
                  'oldiσt'
                ),
                'ß',
                'ss'
              ),
              'æ',
              'ae'
            ),
            'œ',
            'oe'
          ),
          ' '
        ),
        '                　'
      ),
      ''
    ) IN (
      'unknown',
      'n a',
      'na',
      'none',
      'null',
      'test',
      'tbd',
      'x',
      'xx',
      'xxx',
      'unbekannt',
      'inconnu',
      'desconocido',
      'brak',
      'info',
      'contact',
      'not provided',
      'no name'
    )
    THEN NULL
    ELSE NULLIF(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              NULLIF(
                TRIM(
                  "BACKHAUL".SIGNS_REPLACED(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          TRANSLATE(
                            "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."FIRST_NAME" AS VARCHAR))),
                            'øłđıςþ',
                            'oldiσt'
                          ),
                          'ß',
                          'ss'
                        ),
                        'æ',
                        'ae'
                      ),
                      'œ',
                      'oe'
                    ),
                    ' '
                  ),
                  '                　'
                ),
                ''
              ),
              'ae',
              'a'
            ),
            'oe',
            'o'
          ),
          'ue',
          'u'
        ),
        ' ',
        ''
      ),
      ''
    )
  END AS "GIVEN_KEY",
  NULLIF(
    SPLIT_PART(
      REPLACE(
        REPLACE(
          REPLACE(
            COALESCE(
              NULLIF(
                TRIM(
                  "BACKHAUL".SIGNS_REPLACED(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          TRANSLATE(
                            "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."FIRST_NAME" AS VARCHAR))),
                            'øłđıςþ',
                            'oldiσt'
                          ),
                          'ß',
                          'ss'
                        ),
                        'æ',
                        'ae'
                      ),
                      'œ',
                      'oe'
                    ),
                    ' '
                  ),
                  '                　'
                ),
                ''
              ),
              ''
            ),
            'ae',
            'a'
          ),
          'oe',
          'o'
        ),
        'ue',
        'u'
      ),
      ' ',
      1
    ),
    ''
  ) AS "GIVEN_FIRST_KEY",
  CASE
    WHEN NULLIF(
      TRIM(
        "BACKHAUL".SIGNS_REPLACED(
          REPLACE(
            REPLACE(
              REPLACE(
                TRANSLATE(
                  "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."LAST_NAME" AS VARCHAR))),
                  'øłđıςþ',
                  'oldiσt'
                ),
                'ß',
                'ss'
              ),
              'æ',
              'ae'
            ),
            'œ',
            'oe'
          ),
          ' '
        ),
        '                　'
      ),
      ''
    ) IN (
      'unknown',
      'n a',
      'na',
      'none',
      'null',
      'test',
      'tbd',
      'x',
      'xx',
      'xxx',
      'unbekannt',
      'inconnu',
      'desconocido',
      'brak',
      'info',
      'contact',
      'not provided',
      'no name'
    )
    THEN NULL
    ELSE NULLIF(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              NULLIF(
                TRIM(
                  "BACKHAUL".SIGNS_REPLACED(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          TRANSLATE(
                            "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."LAST_NAME" AS VARCHAR))),
                            'øłđıςþ',
                            'oldiσt'
                          ),
                          'ß',
                          'ss'
                        ),
                        'æ',
                        'ae'
                      ),
                      'œ',
                      'oe'
                    ),
                    ' '
                  ),
                  '                　'
                ),
                ''
              ),
              'ae',
              'a'
            ),
            'oe',
            'o'
          ),
          'ue',
          'u'
        ),
        ' ',
        ''
      ),
      ''
    )
  END AS "SURNAME_KEY",
  NULLIF(
    TRIM(
      REGEXP_REPLACE(
        REGEXP_REPLACE(
          REGEXP_REPLACE(
            REGEXP_REPLACE(
              ' ' || COALESCE(
                NULLIF(
                  TRIM(
                    "BACKHAUL".SIGNS_REPLACED(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            TRANSLATE(
                              "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."STREET" AS VARCHAR))),
                              'øłđıςþ',
                              'oldiσt'
                            ),
                            'ß',
                            'ss'
                          ),
                          'æ',
                          'ae'
                        ),
                        'œ',
                        'oe'
                      ),
                      ' '
                    ),
                    '                　'
                  ),
                  ''
                ),
                ''
              ) || ' ',
              '(strasse|str) ',
              'st '
            ),
            ' (street|saint|sankt) ',
            ' st '
          ),
          ' road ',
          ' rd '
        ),
        ' (avenue|av) ',
        ' ave '
      ),
      '                　'
    ),
    ''
  ) AS "STREET_KEY",
  NULLIF(
    LTRIM(
      COALESCE(
        REGEXP_SUBSTR("NEWEST"."STREET", '[0-9]+'),
        CASE WHEN NOT "NEWEST"."STREET" IS NULL THEN '' END
      ),
      '0'
    ),
    ''
  ) AS "HOUSE_KEY",
  NULLIF(
    TRIM(
      "BACKHAUL".SIGNS_REPLACED(
        REPLACE(
          REPLACE(
            REPLACE(
              TRANSLATE(
                "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."CITY" AS VARCHAR))),
                'øłđıςþ',
                'oldiσt'
              ),
              'ß',
              'ss'
            ),
            'æ',
            'ae'
          ),
          'œ',
          'oe'
        ),
        ' '
      ),
      '                　'
    ),
    ''
  ) AS "CITY_KEY",
  NULLIF(REGEXP_REPLACE(UPPER("NEWEST"."POSTAL_CODE"), '[^A-Z0-9]', ''), '') AS "POSTCODE_KEY"
FROM "NEWEST" AS "NEWEST"
WHERE
  "NEWEST"."VERSION_RANK" = 1
  AND NOT "NEWEST"."IS_DELETED"
  AND NOT "NEWEST"."IS_MERGED";

-- stg_dynamics_lead
WITH "VERSIONS" AS (
  SELECT
    "DYNAMICS__LEAD"."LEADID" AS "RECORD_ID",
    "DYNAMICS__LEAD"."SALUTATION" AS "SALUTATION",
    "DYNAMICS__LEAD"."FIRSTNAME" AS "FIRST_NAME",
    "DYNAMICS__LEAD"."LASTNAME" AS "LAST_NAME",
    "DYNAMICS__LEAD"."EMAILADDRESS1" AS "EMAIL",
    "DYNAMICS__LEAD"."TELEPHONE1" AS "PHONE",
    "DYNAMICS__LEAD"."MOBILEPHONE" AS "MOBILE_PHONE",
    SUBSTR(
      '' || COALESCE(CHR(  10) || "DYNAMICS__LEAD"."ADDRESS1_LINE1", '') || COALESCE(CHR(  10) || "DYNAMICS__LEAD"."ADDRESS1_LINE2", ''),
      LENGTH(CHR(  10)) + 1
    ) AS "STREET",
    "DYNAMICS__LEAD"."ADDRESS1_CITY" AS "CITY",
    "DYNAMICS__LEAD"."ADDRESS1_STATEORPROVINCE" AS "STATE",
    "DYNAMICS__LEAD"."ADDRESS1_POSTALCODE" AS "POSTAL_CODE",
    "DYNAMICS__LEAD"."ADDRESS1_COUNTRY" AS "COUNTRY",
    "DYNAMICS__LEAD"."COMPANYNAME" AS "COMPANY",
    "DYNAMICS__LEAD"."JOBTITLE" AS "JOB_TITLE",
    CAST("DYNAMICS__LEAD"."LEADSOURCECODE" AS VARCHAR) AS "LEAD_SOURCE",
    CAST(NULL AS DATE) AS "BIRTH_DATE",
    "DYNAMICS__LEAD"."DONOTBULKEMAIL" AS "OPTED_OUT",
    FALSE AS "DO_NOT_CALL",
    "DYNAMICS__LEAD"."NEW_MEMBERNUMBER" AS "MEMBER_NUMBER",
    CAST("DYNAMICS__LEAD"."NEW_CAMPAIGNSCORE" AS DECIMAL(5, 1)) AS "CAMPAIGN_SCORE",
    "DYNAMICS__LEAD"."NEW_LASTOPEN" AS "LAST_OPEN_AT",
    CAST(NULL AS VARCHAR) AS "CONVERTED_TO_ID",
    FALSE AS "IS_READ_ONLY",
    "DYNAMICS__LEAD"."CREATEDON" AS "CREATED_AT",
    "DYNAMICS__LEAD"."MODIFIEDON" AS "MODIFIED_AT",
    COALESCE("DYNAMICS__LEAD"."_BACKHAUL_DELETED", FALSE) AS "IS_DELETED",
    "DYNAMICS__LEAD"."_BACKHAUL_SURVIVOR" AS "SURVIVOR_ID",
    ROW_NUMBER() OVER (
      PARTITION BY "DYNAMICS__LEAD"."LEADID"
      ORDER BY "DYNAMICS__LEAD"."MODIFIEDON" DESC NULLS LAST, "DYNAMICS__LEAD"."_BACKHAUL_SEEN_AT" DESC NULLS LAST, "DYNAMICS__LEAD"."_DLT_LOAD_ID" DESC NULLS LAST
    ) AS "VERSION_RANK",
    "DYNAMICS__LEAD"."_BACKHAUL_SEEN_AT" AS "SEEN_AT",
    MD5(
      SUBSTR(
        '' || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."SALUTATION" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."FIRSTNAME" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."LASTNAME" AS VARCHAR), CHR(  30)), '') || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."EMAILADDRESS1" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."TELEPHONE1" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."MOBILEPHONE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."ADDRESS1_LINE1" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."ADDRESS1_LINE2" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."ADDRESS1_CITY" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."ADDRESS1_STATEORPROVINCE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."ADDRESS1_POSTALCODE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."ADDRESS1_COUNTRY" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."JOBTITLE" AS VARCHAR), CHR(  30)), '') || COALESCE(
          CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."COMPANYNAME" AS VARCHAR), CHR(  30)),
          ''
        ),
        LENGTH(CHR(  31)) + 1
      )
    ) AS "CONTENT_MARK",
    LAG(
      MD5(
        SUBSTR(
          '' || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."SALUTATION" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."FIRSTNAME" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."LASTNAME" AS VARCHAR), CHR(  30)), '') || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."EMAILADDRESS1" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."TELEPHONE1" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."MOBILEPHONE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."ADDRESS1_LINE1" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."ADDRESS1_LINE2" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."ADDRESS1_CITY" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."ADDRESS1_STATEORPROVINCE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."ADDRESS1_POSTALCODE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."ADDRESS1_COUNTRY" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."JOBTITLE" AS VARCHAR), CHR(  30)), '') || COALESCE(
            CHR(  31) || COALESCE(CAST("DYNAMICS__LEAD"."COMPANYNAME" AS VARCHAR), CHR(  30)),
            ''
          ),
          LENGTH(CHR(  31)) + 1
        )
      )
    ) OVER (
      PARTITION BY "DYNAMICS__LEAD"."LEADID"
      ORDER BY "DYNAMICS__LEAD"."MODIFIEDON" ASC NULLS FIRST, "DYNAMICS__LEAD"."_BACKHAUL_SEEN_AT" ASC, "DYNAMICS__LEAD"."_DLT_LOAD_ID" ASC
    ) AS "CONTENT_MARK_BEFORE",
    COALESCE("DYNAMICS__LEAD"."EMAILADDRESS1", '') AS "EMAIL_MARK",
    LAG(COALESCE("DYNAMICS__LEAD"."EMAILADDRESS1", '')) OVER (
      PARTITION BY "DYNAMICS__LEAD"."LEADID"
      ORDER BY "DYNAMICS__LEAD"."MODIFIEDON" ASC NULLS FIRST, "DYNAMICS__LEAD"."_BACKHAUL_SEEN_AT" ASC, "DYNAMICS__LEAD"."_DLT_LOAD_ID" ASC
    ) AS "EMAIL_MARK_BEFORE"
  FROM "RAW"."DYNAMICS__LEAD" AS "DYNAMICS__LEAD"
), "NEWEST" AS (
  SELECT
    "VERSIONS"."RECORD_ID" AS "RECORD_ID",
    "VERSIONS"."SALUTATION" AS "SALUTATION",
    "VERSIONS"."FIRST_NAME" AS "FIRST_NAME",
    "VERSIONS"."LAST_NAME" AS "LAST_NAME",
    "VERSIONS"."EMAIL" AS "EMAIL",
    "VERSIONS"."PHONE" AS "PHONE",
    "VERSIONS"."MOBILE_PHONE" AS "MOBILE_PHONE",
    "VERSIONS"."STREET" AS "STREET",
    "VERSIONS"."CITY" AS "CITY",
    "VERSIONS"."STATE" AS "STATE",
    "VERSIONS"."POSTAL_CODE" AS "POSTAL_CODE",
    "VERSIONS"."COUNTRY" AS "COUNTRY",
    "VERSIONS"."COMPANY" AS "COMPANY",
    "VERSIONS"."JOB_TITLE" AS "JOB_TITLE",
    "VERSIONS"."LEAD_SOURCE" AS "LEAD_SOURCE",
    "VERSIONS"."BIRTH_DATE" AS "BIRTH_DATE",
    "VERSIONS"."OPTED_OUT" AS "OPTED_OUT",
    "VERSIONS"."DO_NOT_CALL" AS "DO_NOT_CALL",
    "VERSIONS"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    "VERSIONS"."CAMPAIGN_SCORE" AS "CAMPAIGN_SCORE",
    "VERSIONS"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
    "VERSIONS"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
    "VERSIONS"."IS_READ_ONLY" AS "IS_READ_ONLY",
    "VERSIONS"."CREATED_AT" AS "CREATED_AT",
    "VERSIONS"."MODIFIED_AT" AS "MODIFIED_AT",
    "VERSIONS"."IS_DELETED" AS "IS_DELETED",
    "VERSIONS"."SURVIVOR_ID" AS "SURVIVOR_ID",
    "VERSIONS"."VERSION_RANK" AS "VERSION_RANK",
    "VERSIONS"."SEEN_AT" AS "SEEN_AT",
    "VERSIONS"."CONTENT_MARK" AS "CONTENT_MARK",
    "VERSIONS"."CONTENT_MARK_BEFORE" AS "CONTENT_MARK_BEFORE",
    "VERSIONS"."EMAIL_MARK" AS "EMAIL_MARK",
    "VERSIONS"."EMAIL_MARK_BEFORE" AS "EMAIL_MARK_BEFORE",
    MAX(
      CASE
        WHEN "VERSIONS"."CONTENT_MARK" IS DISTINCT FROM "VERSIONS"."CONTENT_MARK_BEFORE"
        THEN "VERSIONS"."MODIFIED_AT"
      END
    ) OVER (PARTITION BY "VERSIONS"."RECORD_ID") AS "CONTENT_CHANGED_AT",
    MAX(
      CASE
        WHEN "VERSIONS"."EMAIL_MARK" IS DISTINCT FROM "VERSIONS"."EMAIL_MARK_BEFORE"
        THEN "VERSIONS"."MODIFIED_AT"
      END
    ) OVER (PARTITION BY "VERSIONS"."RECORD_ID") AS "EMAIL_CHANGED_AT",
    MIN("VERSIONS"."SEEN_AT") OVER (PARTITION BY "VERSIONS"."RECORD_ID") AS "FIRST_SEEN_AT"
  FROM "VERSIONS" AS "VERSIONS"
)
SELECT
  'dynamics:lead:' || "NEWEST"."RECORD_ID" AS "RECORD_KEY",
  'dynamics' AS "ACCOUNT",
  'lead' AS "OBJECT",
  "NEWEST"."RECORD_ID" AS "RECORD_ID",
  NULLIF(TRIM("NEWEST"."SALUTATION", '                　'), '') AS "SALUTATION",
  NULLIF(
    TRIM(
      REGEXP_REPLACE("NEWEST"."FIRST_NAME", '[ \\t\\n\\f\\r]+', ' '),
      '                　'
    ),
    ''
  ) AS "FIRST_NAME",
  NULLIF(
    TRIM(REGEXP_REPLACE("NEWEST"."LAST_NAME", '[ \\t\\n\\f\\r]+', ' '), '                　'),
    ''
  ) AS "LAST_NAME",
  NULLIF(
    RTRIM(
      LTRIM(
        REGEXP_REPLACE(REGEXP_REPLACE(LOWER("NEWEST"."EMAIL"), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''),
        '<('
      ),
      '>),.;'
    ),
    ''
  ) AS "EMAIL",
  NULLIF(TRIM("NEWEST"."PHONE", '                　'), '') AS "PHONE",
  NULLIF(TRIM("NEWEST"."MOBILE_PHONE", '                　'), '') AS "MOBILE_PHONE",
  NULLIF(TRIM("NEWEST"."STREET", '                　'), '') AS "STREET",
  NULLIF(TRIM("NEWEST"."CITY", '                　'), '') AS "CITY",
  NULLIF(TRIM("NEWEST"."STATE", '                　'), '') AS "STATE",
  NULLIF(TRIM("NEWEST"."POSTAL_CODE", '                　'), '') AS "POSTAL_CODE",
  NULLIF(TRIM("NEWEST"."COUNTRY", '                　'), '') AS "COUNTRY",
  NULLIF(TRIM("NEWEST"."COMPANY", '                　'), '') AS "COMPANY",
  NULLIF(TRIM("NEWEST"."JOB_TITLE", '                　'), '') AS "JOB_TITLE",
  NULLIF(TRIM("NEWEST"."LEAD_SOURCE", '                　'), '') AS "LEAD_SOURCE",
  CASE
    WHEN "NEWEST"."BIRTH_DATE" > CAST('1900-01-01' AS DATE)
    AND "NEWEST"."BIRTH_DATE" <> CAST('1970-01-01' AS DATE)
    AND "NEWEST"."BIRTH_DATE" < CAST('2100-01-01' AS DATE)
    THEN "NEWEST"."BIRTH_DATE"
  END AS "BIRTH_DATE",
  COALESCE("NEWEST"."OPTED_OUT", FALSE) AS "OPTED_OUT",
  COALESCE("NEWEST"."DO_NOT_CALL", FALSE) AS "DO_NOT_CALL",
  NULLIF(TRIM("NEWEST"."MEMBER_NUMBER", '                　'), '') AS "MEMBER_NUMBER",
  "NEWEST"."CAMPAIGN_SCORE" AS "CAMPAIGN_SCORE",
  "NEWEST"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
  "NEWEST"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
  "NEWEST"."IS_READ_ONLY" AS "IS_READ_ONLY",
  "NEWEST"."CREATED_AT" AS "CREATED_AT",
  "NEWEST"."MODIFIED_AT" AS "MODIFIED_AT",
  "NEWEST"."CONTENT_CHANGED_AT" AS "CONTENT_CHANGED_AT",
  "NEWEST"."EMAIL_CHANGED_AT" AS "EMAIL_CHANGED_AT",
  "NEWEST"."FIRST_SEEN_AT" AS "FIRST_SEEN_AT",
  "NEWEST"."SEEN_AT" AS "SEEN_AT",
  CASE
    WHEN REGEXP_COUNT(
      NULLIF(
        RTRIM(
          LTRIM(
            REGEXP_REPLACE(REGEXP_REPLACE(LOWER("NEWEST"."EMAIL"), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''),
            '<('
          ),
          '>),.;'
        ),
        ''
      ),
      '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    ) > 0
    THEN NULLIF(
      RTRIM(
        LTRIM(
          REGEXP_REPLACE(REGEXP_REPLACE(LOWER("NEWEST"."EMAIL"), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''),
          '<('
        ),
        '>),.;'
      ),
      ''
    )
  END AS "EMAIL_KEY",
  CASE
    WHEN LENGTH(
      LTRIM(
        CASE
          WHEN REGEXP_COUNT(
            TRIM(
              REPLACE(
                REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '                　'
            ),
            '^(\\(?\\+|00)'
          ) > 0
          THEN REGEXP_REPLACE(
            LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            ),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          )
        END,
        '0'
      )
    ) >= 6
    AND LENGTH(
      REPLACE(
        LTRIM(
          CASE
            WHEN REGEXP_COUNT(
              TRIM(
                REPLACE(
                  REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '                　'
              ),
              '^(\\(?\\+|00)'
            ) > 0
            THEN REGEXP_REPLACE(
              LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              ),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            )
          END,
          '0'
        ),
        SUBSTRING(
          LTRIM(
            CASE
              WHEN REGEXP_COUNT(
                TRIM(
                  REPLACE(
                    REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '                　'
                ),
                '^(\\(?\\+|00)'
              ) > 0
              THEN REGEXP_REPLACE(
                LTRIM(
                  REGEXP_REPLACE(
                    REPLACE(
                      REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                      '(0)',
                      ''
                    ),
                    '[^0-9]',
                    ''
                  ),
                  '0'
                ),
                '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              )
            END,
            '0'
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN LTRIM(
      CASE
        WHEN REGEXP_COUNT(
          TRIM(
            REPLACE(
              REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '                　'
          ),
          '^(\\(?\\+|00)'
        ) > 0
        THEN REGEXP_REPLACE(
          LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          ),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE LTRIM(
          REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ),
          '0'
        )
      END,
      '0'
    )
  END AS "PHONE_KEY",
  CASE
    WHEN LENGTH(
      LTRIM(
        CASE
          WHEN REGEXP_COUNT(
            TRIM(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER("NEWEST"."MOBILE_PHONE"),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '                　'
            ),
            '^(\\(?\\+|00)'
          ) > 0
          THEN REGEXP_REPLACE(
            LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER("NEWEST"."MOBILE_PHONE"),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            ),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER("NEWEST"."MOBILE_PHONE"),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          )
        END,
        '0'
      )
    ) >= 6
    AND LENGTH(
      REPLACE(
        LTRIM(
          CASE
            WHEN REGEXP_COUNT(
              TRIM(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER("NEWEST"."MOBILE_PHONE"),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '                　'
              ),
              '^(\\(?\\+|00)'
            ) > 0
            THEN REGEXP_REPLACE(
              LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(
                      LOWER("NEWEST"."MOBILE_PHONE"),
                      '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              ),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER("NEWEST"."MOBILE_PHONE"),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            )
          END,
          '0'
        ),
        SUBSTRING(
          LTRIM(
            CASE
              WHEN REGEXP_COUNT(
                TRIM(
                  REPLACE(
                    REGEXP_REPLACE(
                      LOWER("NEWEST"."MOBILE_PHONE"),
                      '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '                　'
                ),
                '^(\\(?\\+|00)'
              ) > 0
              THEN REGEXP_REPLACE(
                LTRIM(
                  REGEXP_REPLACE(
                    REPLACE(
                      REGEXP_REPLACE(
                        LOWER("NEWEST"."MOBILE_PHONE"),
                        '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                        ''
                      ),
                      '(0)',
                      ''
                    ),
                    '[^0-9]',
                    ''
                  ),
                  '0'
                ),
                '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(
                      LOWER("NEWEST"."MOBILE_PHONE"),
                      '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              )
            END,
            '0'
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN LTRIM(
      CASE
        WHEN REGEXP_COUNT(
          TRIM(
            REPLACE(
              REGEXP_REPLACE(
                LOWER("NEWEST"."MOBILE_PHONE"),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '                　'
          ),
          '^(\\(?\\+|00)'
        ) > 0
        THEN REGEXP_REPLACE(
          LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER("NEWEST"."MOBILE_PHONE"),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          ),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE LTRIM(
          REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(
                LOWER("NEWEST"."MOBILE_PHONE"),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ),
          '0'
        )
      END,
      '0'
    )
  END AS "MOBILE_KEY",
  CASE
    WHEN NULLIF(
      TRIM(
        "BACKHAUL".SIGNS_REPLACED(
          REPLACE(
            REPLACE(
              REPLACE(
                TRANSLATE(
                  "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."FIRST_NAME" AS VARCHAR))),
                  'øłđıςþ',
                  'oldiσt'
                ),
                'ß',
                'ss'
              ),
              'æ',
              'ae'
            ),
            'œ',
            'oe'
          ),
          ' '
        ),
        '                　'
      ),
      ''
    ) IN (
      'unknown',
      'n a',
      'na',
      'none',
      'null',
      'test',
      'tbd',
      'x',
      'xx',
      'xxx',
      'unbekannt',
      'inconnu',
      'desconocido',
      'brak',
      'info',
      'contact',
      'not provided',
      'no name'
    )
    THEN NULL
    ELSE NULLIF(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              NULLIF(
                TRIM(
                  "BACKHAUL".SIGNS_REPLACED(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          TRANSLATE(
                            "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."FIRST_NAME" AS VARCHAR))),
                            'øłđıςþ',
                            'oldiσt'
                          ),
                          'ß',
                          'ss'
                        ),
                        'æ',
                        'ae'
                      ),
                      'œ',
                      'oe'
                    ),
                    ' '
                  ),
                  '                　'
                ),
                ''
              ),
              'ae',
              'a'
            ),
            'oe',
            'o'
          ),
          'ue',
          'u'
        ),
        ' ',
        ''
      ),
      ''
    )
  END AS "GIVEN_KEY",
  NULLIF(
    SPLIT_PART(
      REPLACE(
        REPLACE(
          REPLACE(
            COALESCE(
              NULLIF(
                TRIM(
                  "BACKHAUL".SIGNS_REPLACED(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          TRANSLATE(
                            "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."FIRST_NAME" AS VARCHAR))),
                            'øłđıςþ',
                            'oldiσt'
                          ),
                          'ß',
                          'ss'
                        ),
                        'æ',
                        'ae'
                      ),
                      'œ',
                      'oe'
                    ),
                    ' '
                  ),
                  '                　'
                ),
                ''
              ),
              ''
            ),
            'ae',
            'a'
          ),
          'oe',
          'o'
        ),
        'ue',
        'u'
      ),
      ' ',
      1
    ),
    ''
  ) AS "GIVEN_FIRST_KEY",
  CASE
    WHEN NULLIF(
      TRIM(
        "BACKHAUL".SIGNS_REPLACED(
          REPLACE(
            REPLACE(
              REPLACE(
                TRANSLATE(
                  "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."LAST_NAME" AS VARCHAR))),
                  'øłđıςþ',
                  'oldiσt'
                ),
                'ß',
                'ss'
              ),
              'æ',
              'ae'
            ),
            'œ',
            'oe'
          ),
          ' '
        ),
        '                　'
      ),
      ''
    ) IN (
      'unknown',
      'n a',
      'na',
      'none',
      'null',
      'test',
      'tbd',
      'x',
      'xx',
      'xxx',
      'unbekannt',
      'inconnu',
      'desconocido',
      'brak',
      'info',
      'contact',
      'not provided',
      'no name'
    )
    THEN NULL
    ELSE NULLIF(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              NULLIF(
                TRIM(
                  "BACKHAUL".SIGNS_REPLACED(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          TRANSLATE(
                            "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."LAST_NAME" AS VARCHAR))),
                            'øłđıςþ',
                            'oldiσt'
                          ),
                          'ß',
                          'ss'
                        ),
                        'æ',
                        'ae'
                      ),
                      'œ',
                      'oe'
                    ),
                    ' '
                  ),
                  '                　'
                ),
                ''
              ),
              'ae',
              'a'
            ),
            'oe',
            'o'
          ),
          'ue',
          'u'
        ),
        ' ',
        ''
      ),
      ''
    )
  END AS "SURNAME_KEY",
  NULLIF(
    TRIM(
      REGEXP_REPLACE(
        REGEXP_REPLACE(
          REGEXP_REPLACE(
            REGEXP_REPLACE(
              ' ' || COALESCE(
                NULLIF(
                  TRIM(
                    "BACKHAUL".SIGNS_REPLACED(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            TRANSLATE(
                              "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."STREET" AS VARCHAR))),
                              'øłđıςþ',
                              'oldiσt'
                            ),
                            'ß',
                            'ss'
                          ),
                          'æ',
                          'ae'
                        ),
                        'œ',
                        'oe'
                      ),
                      ' '
                    ),
                    '                　'
                  ),
                  ''
                ),
                ''
              ) || ' ',
              '(strasse|str) ',
              'st '
            ),
            ' (street|saint|sankt) ',
            ' st '
          ),
          ' road ',
          ' rd '
        ),
        ' (avenue|av) ',
        ' ave '
      ),
      '                　'
    ),
    ''
  ) AS "STREET_KEY",
  NULLIF(
    LTRIM(
      COALESCE(
        REGEXP_SUBSTR("NEWEST"."STREET", '[0-9]+'),
        CASE WHEN NOT "NEWEST"."STREET" IS NULL THEN '' END
      ),
      '0'
    ),
    ''
  ) AS "HOUSE_KEY",
  NULLIF(
    TRIM(
      "BACKHAUL".SIGNS_REPLACED(
        REPLACE(
          REPLACE(
            REPLACE(
              TRANSLATE(
                "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."CITY" AS VARCHAR))),
                'øłđıςþ',
                'oldiσt'
              ),
              'ß',
              'ss'
            ),
            'æ',
            'ae'
          ),
          'œ',
          'oe'
        ),
        ' '
      ),
      '                　'
    ),
    ''
  ) AS "CITY_KEY",
  NULLIF(REGEXP_REPLACE(UPPER("NEWEST"."POSTAL_CODE"), '[^A-Z0-9]', ''), '') AS "POSTCODE_KEY"
FROM "NEWEST" AS "NEWEST"
WHERE
  "NEWEST"."VERSION_RANK" = 1 AND NOT "NEWEST"."IS_DELETED";

-- stg_engagement
SELECT
  "ENGAGEMENT_EVENTS"."EVENT_ID" AS "EVENT_ID",
  "ENGAGEMENT_EVENTS"."CAMPAIGN" AS "CAMPAIGN",
  "ENGAGEMENT_EVENTS"."EVENT_TYPE" AS "EVENT_TYPE",
  CASE
    WHEN REGEXP_COUNT(
      NULLIF(
        RTRIM(
          LTRIM(
            REGEXP_REPLACE(
              REGEXP_REPLACE(LOWER("ENGAGEMENT_EVENTS"."EMAIL"), '[ \\t\\n\\f\\r]+', ''),
              '^mailto:',
              ''
            ),
            '<('
          ),
          '>),.;'
        ),
        ''
      ),
      '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    ) > 0
    THEN NULLIF(
      RTRIM(
        LTRIM(
          REGEXP_REPLACE(
            REGEXP_REPLACE(LOWER("ENGAGEMENT_EVENTS"."EMAIL"), '[ \\t\\n\\f\\r]+', ''),
            '^mailto:',
            ''
          ),
          '<('
        ),
        '>),.;'
      ),
      ''
    )
  END AS "EMAIL_KEY",
  "ENGAGEMENT_EVENTS"."OCCURRED_AT" AS "OCCURRED_AT"
FROM "SEEDS"."ENGAGEMENT_EVENTS" AS "ENGAGEMENT_EVENTS";

-- addresses
WITH "LAST_ANSWERS" AS (
  SELECT
    "STG_ENGAGEMENT"."EMAIL_KEY" AS "EMAIL_KEY",
    MAX(
      CASE
        WHEN "STG_ENGAGEMENT"."EVENT_TYPE" IN ('open', 'click')
        THEN "STG_ENGAGEMENT"."OCCURRED_AT"
      END
    ) AS "LAST_ANSWER_AT"
  FROM "STAGING"."STG_ENGAGEMENT" AS "STG_ENGAGEMENT"
  WHERE
    NOT "STG_ENGAGEMENT"."EMAIL_KEY" IS NULL
  GROUP BY
    "STG_ENGAGEMENT"."EMAIL_KEY"
)
SELECT
  "EVENTS"."EMAIL_KEY" AS "EMAIL_KEY",
  COUNT(*) AS "EVENTS",
  COALESCE(BOOLOR_AGG("EVENTS"."EVENT_TYPE" = 'opt_out'), FALSE) AS "OPTED_OUT",
  MIN(CASE WHEN "EVENTS"."EVENT_TYPE" = 'opt_out' THEN "EVENTS"."OCCURRED_AT" END) AS "OPTED_OUT_AT",
  SUM(
    CASE
      WHEN "EVENTS"."EVENT_TYPE" = 'bounce'
      AND (
        "LAST_ANSWERS"."LAST_ANSWER_AT" IS NULL
        OR "EVENTS"."OCCURRED_AT" > "LAST_ANSWERS"."LAST_ANSWER_AT"
      )
      THEN 1
      ELSE 0
    END
  ) AS "BOUNCES_SINCE_ANSWER",
  SUM(
    CASE
      WHEN "EVENTS"."EVENT_TYPE" = 'bounce'
      AND (
        "LAST_ANSWERS"."LAST_ANSWER_AT" IS NULL
        OR "EVENTS"."OCCURRED_AT" > "LAST_ANSWERS"."LAST_ANSWER_AT"
      )
      THEN 1
      ELSE 0
    END
  ) >= 3 AS "IS_DEAD",
  MAX(CASE WHEN "EVENTS"."EVENT_TYPE" = 'bounce' THEN "EVENTS"."OCCURRED_AT" END) AS "LAST_BOUNCE_AT"
FROM "STAGING"."STG_ENGAGEMENT" AS "EVENTS"
INNER JOIN "LAST_ANSWERS" AS "LAST_ANSWERS"
  ON "EVENTS"."EMAIL_KEY" = "LAST_ANSWERS"."EMAIL_KEY"
GROUP BY
  "EVENTS"."EMAIL_KEY";

-- stg_salesforce_contact
WITH "VERSIONS" AS (
  SELECT
    "SALESFORCE__CONTACT"."ID" AS "RECORD_ID",
    "SALESFORCE__CONTACT"."SALUTATION" AS "SALUTATION",
    "SALESFORCE__CONTACT"."FIRSTNAME" AS "FIRST_NAME",
    "SALESFORCE__CONTACT"."LASTNAME" AS "LAST_NAME",
    "SALESFORCE__CONTACT"."EMAIL" AS "EMAIL",
    "SALESFORCE__CONTACT"."PHONE" AS "PHONE",
    "SALESFORCE__CONTACT"."MOBILEPHONE" AS "MOBILE_PHONE",
    "SALESFORCE__CONTACT"."MAILINGSTREET" AS "STREET",
    "SALESFORCE__CONTACT"."MAILINGCITY" AS "CITY",
    "SALESFORCE__CONTACT"."MAILINGSTATE" AS "STATE",
    "SALESFORCE__CONTACT"."MAILINGPOSTALCODE" AS "POSTAL_CODE",
    "SALESFORCE__CONTACT"."MAILINGCOUNTRY" AS "COUNTRY",
    CAST(NULL AS VARCHAR) AS "COMPANY",
    "SALESFORCE__CONTACT"."TITLE" AS "JOB_TITLE",
    "SALESFORCE__CONTACT"."LEADSOURCE" AS "LEAD_SOURCE",
    "SALESFORCE__CONTACT"."BIRTHDATE" AS "BIRTH_DATE",
    "SALESFORCE__CONTACT"."HASOPTEDOUTOFEMAIL" AS "OPTED_OUT",
    "SALESFORCE__CONTACT"."DONOTCALL" AS "DO_NOT_CALL",
    "SALESFORCE__CONTACT"."MEMBER_NUMBER__C" AS "MEMBER_NUMBER",
    CAST("SALESFORCE__CONTACT"."CAMPAIGN_SCORE__C" AS DECIMAL(5, 1)) AS "CAMPAIGN_SCORE",
    "SALESFORCE__CONTACT"."LAST_OPEN__C" AS "LAST_OPEN_AT",
    CAST(NULL AS VARCHAR) AS "CONVERTED_TO_ID",
    FALSE AS "IS_READ_ONLY",
    "SALESFORCE__CONTACT"."CREATEDDATE" AS "CREATED_AT",
    "SALESFORCE__CONTACT"."SYSTEMMODSTAMP" AS "MODIFIED_AT",
    COALESCE("SALESFORCE__CONTACT"."_BACKHAUL_DELETED", FALSE) AS "IS_DELETED",
    "SALESFORCE__CONTACT"."_BACKHAUL_SURVIVOR" AS "SURVIVOR_ID",
    ROW_NUMBER() OVER (
      PARTITION BY "SALESFORCE__CONTACT"."ID"
      ORDER BY "SALESFORCE__CONTACT"."SYSTEMMODSTAMP" DESC NULLS LAST, "SALESFORCE__CONTACT"."_BACKHAUL_SEEN_AT" DESC NULLS LAST, "SALESFORCE__CONTACT"."_DLT_LOAD_ID" DESC NULLS LAST
    ) AS "VERSION_RANK",
    "SALESFORCE__CONTACT"."_BACKHAUL_SEEN_AT" AS "SEEN_AT",
    MD5(
      SUBSTR(
        '' || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."SALUTATION" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."FIRSTNAME" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."LASTNAME" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."EMAIL" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."PHONE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."MOBILEPHONE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."MAILINGSTREET" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."MAILINGCITY" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."MAILINGSTATE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."MAILINGPOSTALCODE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."MAILINGCOUNTRY" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."TITLE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."DEPARTMENT" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."BIRTHDATE" AS VARCHAR), CHR(  30)),
          ''
        ),
        LENGTH(CHR(  31)) + 1
      )
    ) AS "CONTENT_MARK",
    LAG(
      MD5(
        SUBSTR(
          '' || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."SALUTATION" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."FIRSTNAME" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."LASTNAME" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."EMAIL" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."PHONE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."MOBILEPHONE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."MAILINGSTREET" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."MAILINGCITY" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."MAILINGSTATE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."MAILINGPOSTALCODE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."MAILINGCOUNTRY" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."TITLE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."DEPARTMENT" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__CONTACT"."BIRTHDATE" AS VARCHAR), CHR(  30)),
            ''
          ),
          LENGTH(CHR(  31)) + 1
        )
      )
    ) OVER (
      PARTITION BY "SALESFORCE__CONTACT"."ID"
      ORDER BY "SALESFORCE__CONTACT"."SYSTEMMODSTAMP" ASC NULLS FIRST, "SALESFORCE__CONTACT"."_BACKHAUL_SEEN_AT" ASC, "SALESFORCE__CONTACT"."_DLT_LOAD_ID" ASC
    ) AS "CONTENT_MARK_BEFORE",
    COALESCE("SALESFORCE__CONTACT"."EMAIL", '') AS "EMAIL_MARK",
    LAG(COALESCE("SALESFORCE__CONTACT"."EMAIL", '')) OVER (
      PARTITION BY "SALESFORCE__CONTACT"."ID"
      ORDER BY "SALESFORCE__CONTACT"."SYSTEMMODSTAMP" ASC NULLS FIRST, "SALESFORCE__CONTACT"."_BACKHAUL_SEEN_AT" ASC, "SALESFORCE__CONTACT"."_DLT_LOAD_ID" ASC
    ) AS "EMAIL_MARK_BEFORE"
  FROM "RAW"."SALESFORCE__CONTACT" AS "SALESFORCE__CONTACT"
), "NEWEST" AS (
  SELECT
    "VERSIONS"."RECORD_ID" AS "RECORD_ID",
    "VERSIONS"."SALUTATION" AS "SALUTATION",
    "VERSIONS"."FIRST_NAME" AS "FIRST_NAME",
    "VERSIONS"."LAST_NAME" AS "LAST_NAME",
    "VERSIONS"."EMAIL" AS "EMAIL",
    "VERSIONS"."PHONE" AS "PHONE",
    "VERSIONS"."MOBILE_PHONE" AS "MOBILE_PHONE",
    "VERSIONS"."STREET" AS "STREET",
    "VERSIONS"."CITY" AS "CITY",
    "VERSIONS"."STATE" AS "STATE",
    "VERSIONS"."POSTAL_CODE" AS "POSTAL_CODE",
    "VERSIONS"."COUNTRY" AS "COUNTRY",
    "VERSIONS"."COMPANY" AS "COMPANY",
    "VERSIONS"."JOB_TITLE" AS "JOB_TITLE",
    "VERSIONS"."LEAD_SOURCE" AS "LEAD_SOURCE",
    "VERSIONS"."BIRTH_DATE" AS "BIRTH_DATE",
    "VERSIONS"."OPTED_OUT" AS "OPTED_OUT",
    "VERSIONS"."DO_NOT_CALL" AS "DO_NOT_CALL",
    "VERSIONS"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    "VERSIONS"."CAMPAIGN_SCORE" AS "CAMPAIGN_SCORE",
    "VERSIONS"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
    "VERSIONS"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
    "VERSIONS"."IS_READ_ONLY" AS "IS_READ_ONLY",
    "VERSIONS"."CREATED_AT" AS "CREATED_AT",
    "VERSIONS"."MODIFIED_AT" AS "MODIFIED_AT",
    "VERSIONS"."IS_DELETED" AS "IS_DELETED",
    "VERSIONS"."SURVIVOR_ID" AS "SURVIVOR_ID",
    "VERSIONS"."VERSION_RANK" AS "VERSION_RANK",
    "VERSIONS"."SEEN_AT" AS "SEEN_AT",
    "VERSIONS"."CONTENT_MARK" AS "CONTENT_MARK",
    "VERSIONS"."CONTENT_MARK_BEFORE" AS "CONTENT_MARK_BEFORE",
    "VERSIONS"."EMAIL_MARK" AS "EMAIL_MARK",
    "VERSIONS"."EMAIL_MARK_BEFORE" AS "EMAIL_MARK_BEFORE",
    MAX(
      CASE
        WHEN "VERSIONS"."CONTENT_MARK" IS DISTINCT FROM "VERSIONS"."CONTENT_MARK_BEFORE"
        THEN "VERSIONS"."MODIFIED_AT"
      END
    ) OVER (PARTITION BY "VERSIONS"."RECORD_ID") AS "CONTENT_CHANGED_AT",
    MAX(
      CASE
        WHEN "VERSIONS"."EMAIL_MARK" IS DISTINCT FROM "VERSIONS"."EMAIL_MARK_BEFORE"
        THEN "VERSIONS"."MODIFIED_AT"
      END
    ) OVER (PARTITION BY "VERSIONS"."RECORD_ID") AS "EMAIL_CHANGED_AT",
    MIN("VERSIONS"."SEEN_AT") OVER (PARTITION BY "VERSIONS"."RECORD_ID") AS "FIRST_SEEN_AT"
  FROM "VERSIONS" AS "VERSIONS"
)
SELECT
  'salesforce:Contact:' || "NEWEST"."RECORD_ID" AS "RECORD_KEY",
  'salesforce' AS "ACCOUNT",
  'Contact' AS "OBJECT",
  "NEWEST"."RECORD_ID" AS "RECORD_ID",
  NULLIF(TRIM("NEWEST"."SALUTATION", '                　'), '') AS "SALUTATION",
  NULLIF(
    TRIM(
      REGEXP_REPLACE("NEWEST"."FIRST_NAME", '[ \\t\\n\\f\\r]+', ' '),
      '                　'
    ),
    ''
  ) AS "FIRST_NAME",
  NULLIF(
    TRIM(REGEXP_REPLACE("NEWEST"."LAST_NAME", '[ \\t\\n\\f\\r]+', ' '), '                　'),
    ''
  ) AS "LAST_NAME",
  NULLIF(
    RTRIM(
      LTRIM(
        REGEXP_REPLACE(REGEXP_REPLACE(LOWER("NEWEST"."EMAIL"), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''),
        '<('
      ),
      '>),.;'
    ),
    ''
  ) AS "EMAIL",
  NULLIF(TRIM("NEWEST"."PHONE", '                　'), '') AS "PHONE",
  NULLIF(TRIM("NEWEST"."MOBILE_PHONE", '                　'), '') AS "MOBILE_PHONE",
  NULLIF(TRIM("NEWEST"."STREET", '                　'), '') AS "STREET",
  NULLIF(TRIM("NEWEST"."CITY", '                　'), '') AS "CITY",
  NULLIF(TRIM("NEWEST"."STATE", '                　'), '') AS "STATE",
  NULLIF(TRIM("NEWEST"."POSTAL_CODE", '                　'), '') AS "POSTAL_CODE",
  NULLIF(TRIM("NEWEST"."COUNTRY", '                　'), '') AS "COUNTRY",
  NULLIF(TRIM("NEWEST"."COMPANY", '                　'), '') AS "COMPANY",
  NULLIF(TRIM("NEWEST"."JOB_TITLE", '                　'), '') AS "JOB_TITLE",
  NULLIF(TRIM("NEWEST"."LEAD_SOURCE", '                　'), '') AS "LEAD_SOURCE",
  CASE
    WHEN "NEWEST"."BIRTH_DATE" > CAST('1900-01-01' AS DATE)
    AND "NEWEST"."BIRTH_DATE" <> CAST('1970-01-01' AS DATE)
    AND "NEWEST"."BIRTH_DATE" < CAST('2100-01-01' AS DATE)
    THEN "NEWEST"."BIRTH_DATE"
  END AS "BIRTH_DATE",
  COALESCE("NEWEST"."OPTED_OUT", FALSE) AS "OPTED_OUT",
  COALESCE("NEWEST"."DO_NOT_CALL", FALSE) AS "DO_NOT_CALL",
  NULLIF(TRIM("NEWEST"."MEMBER_NUMBER", '                　'), '') AS "MEMBER_NUMBER",
  "NEWEST"."CAMPAIGN_SCORE" AS "CAMPAIGN_SCORE",
  "NEWEST"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
  "NEWEST"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
  "NEWEST"."IS_READ_ONLY" AS "IS_READ_ONLY",
  "NEWEST"."CREATED_AT" AS "CREATED_AT",
  "NEWEST"."MODIFIED_AT" AS "MODIFIED_AT",
  "NEWEST"."CONTENT_CHANGED_AT" AS "CONTENT_CHANGED_AT",
  "NEWEST"."EMAIL_CHANGED_AT" AS "EMAIL_CHANGED_AT",
  "NEWEST"."FIRST_SEEN_AT" AS "FIRST_SEEN_AT",
  "NEWEST"."SEEN_AT" AS "SEEN_AT",
  CASE
    WHEN REGEXP_COUNT(
      NULLIF(
        RTRIM(
          LTRIM(
            REGEXP_REPLACE(REGEXP_REPLACE(LOWER("NEWEST"."EMAIL"), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''),
            '<('
          ),
          '>),.;'
        ),
        ''
      ),
      '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    ) > 0
    THEN NULLIF(
      RTRIM(
        LTRIM(
          REGEXP_REPLACE(REGEXP_REPLACE(LOWER("NEWEST"."EMAIL"), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''),
          '<('
        ),
        '>),.;'
      ),
      ''
    )
  END AS "EMAIL_KEY",
  CASE
    WHEN LENGTH(
      LTRIM(
        CASE
          WHEN REGEXP_COUNT(
            TRIM(
              REPLACE(
                REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '                　'
            ),
            '^(\\(?\\+|00)'
          ) > 0
          THEN REGEXP_REPLACE(
            LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            ),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          )
        END,
        '0'
      )
    ) >= 6
    AND LENGTH(
      REPLACE(
        LTRIM(
          CASE
            WHEN REGEXP_COUNT(
              TRIM(
                REPLACE(
                  REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '                　'
              ),
              '^(\\(?\\+|00)'
            ) > 0
            THEN REGEXP_REPLACE(
              LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              ),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            )
          END,
          '0'
        ),
        SUBSTRING(
          LTRIM(
            CASE
              WHEN REGEXP_COUNT(
                TRIM(
                  REPLACE(
                    REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '                　'
                ),
                '^(\\(?\\+|00)'
              ) > 0
              THEN REGEXP_REPLACE(
                LTRIM(
                  REGEXP_REPLACE(
                    REPLACE(
                      REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                      '(0)',
                      ''
                    ),
                    '[^0-9]',
                    ''
                  ),
                  '0'
                ),
                '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              )
            END,
            '0'
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN LTRIM(
      CASE
        WHEN REGEXP_COUNT(
          TRIM(
            REPLACE(
              REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '                　'
          ),
          '^(\\(?\\+|00)'
        ) > 0
        THEN REGEXP_REPLACE(
          LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          ),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE LTRIM(
          REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ),
          '0'
        )
      END,
      '0'
    )
  END AS "PHONE_KEY",
  CASE
    WHEN LENGTH(
      LTRIM(
        CASE
          WHEN REGEXP_COUNT(
            TRIM(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER("NEWEST"."MOBILE_PHONE"),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '                　'
            ),
            '^(\\(?\\+|00)'
          ) > 0
          THEN REGEXP_REPLACE(
            LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER("NEWEST"."MOBILE_PHONE"),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            ),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER("NEWEST"."MOBILE_PHONE"),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          )
        END,
        '0'
      )
    ) >= 6
    AND LENGTH(
      REPLACE(
        LTRIM(
          CASE
            WHEN REGEXP_COUNT(
              TRIM(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER("NEWEST"."MOBILE_PHONE"),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '                　'
              ),
              '^(\\(?\\+|00)'
            ) > 0
            THEN REGEXP_REPLACE(
              LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(
                      LOWER("NEWEST"."MOBILE_PHONE"),
                      '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              ),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER("NEWEST"."MOBILE_PHONE"),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            )
          END,
          '0'
        ),
        SUBSTRING(
          LTRIM(
            CASE
              WHEN REGEXP_COUNT(
                TRIM(
                  REPLACE(
                    REGEXP_REPLACE(
                      LOWER("NEWEST"."MOBILE_PHONE"),
                      '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '                　'
                ),
                '^(\\(?\\+|00)'
              ) > 0
              THEN REGEXP_REPLACE(
                LTRIM(
                  REGEXP_REPLACE(
                    REPLACE(
                      REGEXP_REPLACE(
                        LOWER("NEWEST"."MOBILE_PHONE"),
                        '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                        ''
                      ),
                      '(0)',
                      ''
                    ),
                    '[^0-9]',
                    ''
                  ),
                  '0'
                ),
                '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(
                      LOWER("NEWEST"."MOBILE_PHONE"),
                      '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              )
            END,
            '0'
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN LTRIM(
      CASE
        WHEN REGEXP_COUNT(
          TRIM(
            REPLACE(
              REGEXP_REPLACE(
                LOWER("NEWEST"."MOBILE_PHONE"),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '                　'
          ),
          '^(\\(?\\+|00)'
        ) > 0
        THEN REGEXP_REPLACE(
          LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER("NEWEST"."MOBILE_PHONE"),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          ),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE LTRIM(
          REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(
                LOWER("NEWEST"."MOBILE_PHONE"),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ),
          '0'
        )
      END,
      '0'
    )
  END AS "MOBILE_KEY",
  CASE
    WHEN NULLIF(
      TRIM(
        "BACKHAUL".SIGNS_REPLACED(
          REPLACE(
            REPLACE(
              REPLACE(
                TRANSLATE(
                  "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."FIRST_NAME" AS VARCHAR))),
                  'øłđıςþ',
                  'oldiσt'
                ),
                'ß',
                'ss'
              ),
              'æ',
              'ae'
            ),
            'œ',
            'oe'
          ),
          ' '
        ),
        '                　'
      ),
      ''
    ) IN (
      'unknown',
      'n a',
      'na',
      'none',
      'null',
      'test',
      'tbd',
      'x',
      'xx',
      'xxx',
      'unbekannt',
      'inconnu',
      'desconocido',
      'brak',
      'info',
      'contact',
      'not provided',
      'no name'
    )
    THEN NULL
    ELSE NULLIF(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              NULLIF(
                TRIM(
                  "BACKHAUL".SIGNS_REPLACED(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          TRANSLATE(
                            "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."FIRST_NAME" AS VARCHAR))),
                            'øłđıςþ',
                            'oldiσt'
                          ),
                          'ß',
                          'ss'
                        ),
                        'æ',
                        'ae'
                      ),
                      'œ',
                      'oe'
                    ),
                    ' '
                  ),
                  '                　'
                ),
                ''
              ),
              'ae',
              'a'
            ),
            'oe',
            'o'
          ),
          'ue',
          'u'
        ),
        ' ',
        ''
      ),
      ''
    )
  END AS "GIVEN_KEY",
  NULLIF(
    SPLIT_PART(
      REPLACE(
        REPLACE(
          REPLACE(
            COALESCE(
              NULLIF(
                TRIM(
                  "BACKHAUL".SIGNS_REPLACED(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          TRANSLATE(
                            "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."FIRST_NAME" AS VARCHAR))),
                            'øłđıςþ',
                            'oldiσt'
                          ),
                          'ß',
                          'ss'
                        ),
                        'æ',
                        'ae'
                      ),
                      'œ',
                      'oe'
                    ),
                    ' '
                  ),
                  '                　'
                ),
                ''
              ),
              ''
            ),
            'ae',
            'a'
          ),
          'oe',
          'o'
        ),
        'ue',
        'u'
      ),
      ' ',
      1
    ),
    ''
  ) AS "GIVEN_FIRST_KEY",
  CASE
    WHEN NULLIF(
      TRIM(
        "BACKHAUL".SIGNS_REPLACED(
          REPLACE(
            REPLACE(
              REPLACE(
                TRANSLATE(
                  "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."LAST_NAME" AS VARCHAR))),
                  'øłđıςþ',
                  'oldiσt'
                ),
                'ß',
                'ss'
              ),
              'æ',
              'ae'
            ),
            'œ',
            'oe'
          ),
          ' '
        ),
        '                　'
      ),
      ''
    ) IN (
      'unknown',
      'n a',
      'na',
      'none',
      'null',
      'test',
      'tbd',
      'x',
      'xx',
      'xxx',
      'unbekannt',
      'inconnu',
      'desconocido',
      'brak',
      'info',
      'contact',
      'not provided',
      'no name'
    )
    THEN NULL
    ELSE NULLIF(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              NULLIF(
                TRIM(
                  "BACKHAUL".SIGNS_REPLACED(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          TRANSLATE(
                            "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."LAST_NAME" AS VARCHAR))),
                            'øłđıςþ',
                            'oldiσt'
                          ),
                          'ß',
                          'ss'
                        ),
                        'æ',
                        'ae'
                      ),
                      'œ',
                      'oe'
                    ),
                    ' '
                  ),
                  '                　'
                ),
                ''
              ),
              'ae',
              'a'
            ),
            'oe',
            'o'
          ),
          'ue',
          'u'
        ),
        ' ',
        ''
      ),
      ''
    )
  END AS "SURNAME_KEY",
  NULLIF(
    TRIM(
      REGEXP_REPLACE(
        REGEXP_REPLACE(
          REGEXP_REPLACE(
            REGEXP_REPLACE(
              ' ' || COALESCE(
                NULLIF(
                  TRIM(
                    "BACKHAUL".SIGNS_REPLACED(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            TRANSLATE(
                              "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."STREET" AS VARCHAR))),
                              'øłđıςþ',
                              'oldiσt'
                            ),
                            'ß',
                            'ss'
                          ),
                          'æ',
                          'ae'
                        ),
                        'œ',
                        'oe'
                      ),
                      ' '
                    ),
                    '                　'
                  ),
                  ''
                ),
                ''
              ) || ' ',
              '(strasse|str) ',
              'st '
            ),
            ' (street|saint|sankt) ',
            ' st '
          ),
          ' road ',
          ' rd '
        ),
        ' (avenue|av) ',
        ' ave '
      ),
      '                　'
    ),
    ''
  ) AS "STREET_KEY",
  NULLIF(
    LTRIM(
      COALESCE(
        REGEXP_SUBSTR("NEWEST"."STREET", '[0-9]+'),
        CASE WHEN NOT "NEWEST"."STREET" IS NULL THEN '' END
      ),
      '0'
    ),
    ''
  ) AS "HOUSE_KEY",
  NULLIF(
    TRIM(
      "BACKHAUL".SIGNS_REPLACED(
        REPLACE(
          REPLACE(
            REPLACE(
              TRANSLATE(
                "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."CITY" AS VARCHAR))),
                'øłđıςþ',
                'oldiσt'
              ),
              'ß',
              'ss'
            ),
            'æ',
            'ae'
          ),
          'œ',
          'oe'
        ),
        ' '
      ),
      '                　'
    ),
    ''
  ) AS "CITY_KEY",
  NULLIF(REGEXP_REPLACE(UPPER("NEWEST"."POSTAL_CODE"), '[^A-Z0-9]', ''), '') AS "POSTCODE_KEY"
FROM "NEWEST" AS "NEWEST"
WHERE
  "NEWEST"."VERSION_RANK" = 1 AND NOT "NEWEST"."IS_DELETED";

-- stg_salesforce_lead
WITH "VERSIONS" AS (
  SELECT
    "SALESFORCE__LEAD"."ID" AS "RECORD_ID",
    "SALESFORCE__LEAD"."SALUTATION" AS "SALUTATION",
    "SALESFORCE__LEAD"."FIRSTNAME" AS "FIRST_NAME",
    "SALESFORCE__LEAD"."LASTNAME" AS "LAST_NAME",
    "SALESFORCE__LEAD"."EMAIL" AS "EMAIL",
    "SALESFORCE__LEAD"."PHONE" AS "PHONE",
    "SALESFORCE__LEAD"."MOBILEPHONE" AS "MOBILE_PHONE",
    "SALESFORCE__LEAD"."STREET" AS "STREET",
    "SALESFORCE__LEAD"."CITY" AS "CITY",
    "SALESFORCE__LEAD"."STATE" AS "STATE",
    "SALESFORCE__LEAD"."POSTALCODE" AS "POSTAL_CODE",
    "SALESFORCE__LEAD"."COUNTRY" AS "COUNTRY",
    "SALESFORCE__LEAD"."COMPANY" AS "COMPANY",
    "SALESFORCE__LEAD"."TITLE" AS "JOB_TITLE",
    "SALESFORCE__LEAD"."LEADSOURCE" AS "LEAD_SOURCE",
    CAST(NULL AS DATE) AS "BIRTH_DATE",
    "SALESFORCE__LEAD"."HASOPTEDOUTOFEMAIL" AS "OPTED_OUT",
    "SALESFORCE__LEAD"."DONOTCALL" AS "DO_NOT_CALL",
    "SALESFORCE__LEAD"."MEMBER_NUMBER__C" AS "MEMBER_NUMBER",
    CAST("SALESFORCE__LEAD"."CAMPAIGN_SCORE__C" AS DECIMAL(5, 1)) AS "CAMPAIGN_SCORE",
    "SALESFORCE__LEAD"."LAST_OPEN__C" AS "LAST_OPEN_AT",
    CASE
      WHEN "SALESFORCE__LEAD"."ISCONVERTED"
      THEN "SALESFORCE__LEAD"."CONVERTEDCONTACTID"
    END AS "CONVERTED_TO_ID",
    COALESCE("SALESFORCE__LEAD"."ISCONVERTED", FALSE) AS "IS_READ_ONLY",
    "SALESFORCE__LEAD"."CREATEDDATE" AS "CREATED_AT",
    "SALESFORCE__LEAD"."SYSTEMMODSTAMP" AS "MODIFIED_AT",
    COALESCE("SALESFORCE__LEAD"."_BACKHAUL_DELETED", FALSE) AS "IS_DELETED",
    "SALESFORCE__LEAD"."_BACKHAUL_SURVIVOR" AS "SURVIVOR_ID",
    ROW_NUMBER() OVER (
      PARTITION BY "SALESFORCE__LEAD"."ID"
      ORDER BY "SALESFORCE__LEAD"."SYSTEMMODSTAMP" DESC NULLS LAST, "SALESFORCE__LEAD"."_BACKHAUL_SEEN_AT" DESC NULLS LAST, "SALESFORCE__LEAD"."_DLT_LOAD_ID" DESC NULLS LAST
    ) AS "VERSION_RANK",
    "SALESFORCE__LEAD"."_BACKHAUL_SEEN_AT" AS "SEEN_AT",
    MD5(
      SUBSTR(
        '' || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."SALUTATION" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."FIRSTNAME" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."LASTNAME" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."EMAIL" AS VARCHAR), CHR(  30)), '') || COALESCE(CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."PHONE" AS VARCHAR), CHR(  30)), '') || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."MOBILEPHONE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."STREET" AS VARCHAR), CHR(  30)), '') || COALESCE(CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."CITY" AS VARCHAR), CHR(  30)), '') || COALESCE(CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."STATE" AS VARCHAR), CHR(  30)), '') || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."POSTALCODE" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."COUNTRY" AS VARCHAR), CHR(  30)),
          ''
        ) || COALESCE(CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."TITLE" AS VARCHAR), CHR(  30)), '') || COALESCE(
          CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."COMPANY" AS VARCHAR), CHR(  30)),
          ''
        ),
        LENGTH(CHR(  31)) + 1
      )
    ) AS "CONTENT_MARK",
    LAG(
      MD5(
        SUBSTR(
          '' || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."SALUTATION" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."FIRSTNAME" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."LASTNAME" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."EMAIL" AS VARCHAR), CHR(  30)), '') || COALESCE(CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."PHONE" AS VARCHAR), CHR(  30)), '') || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."MOBILEPHONE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."STREET" AS VARCHAR), CHR(  30)), '') || COALESCE(CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."CITY" AS VARCHAR), CHR(  30)), '') || COALESCE(CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."STATE" AS VARCHAR), CHR(  30)), '') || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."POSTALCODE" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."COUNTRY" AS VARCHAR), CHR(  30)),
            ''
          ) || COALESCE(CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."TITLE" AS VARCHAR), CHR(  30)), '') || COALESCE(
            CHR(  31) || COALESCE(CAST("SALESFORCE__LEAD"."COMPANY" AS VARCHAR), CHR(  30)),
            ''
          ),
          LENGTH(CHR(  31)) + 1
        )
      )
    ) OVER (
      PARTITION BY "SALESFORCE__LEAD"."ID"
      ORDER BY "SALESFORCE__LEAD"."SYSTEMMODSTAMP" ASC NULLS FIRST, "SALESFORCE__LEAD"."_BACKHAUL_SEEN_AT" ASC, "SALESFORCE__LEAD"."_DLT_LOAD_ID" ASC
    ) AS "CONTENT_MARK_BEFORE",
    COALESCE("SALESFORCE__LEAD"."EMAIL", '') AS "EMAIL_MARK",
    LAG(COALESCE("SALESFORCE__LEAD"."EMAIL", '')) OVER (
      PARTITION BY "SALESFORCE__LEAD"."ID"
      ORDER BY "SALESFORCE__LEAD"."SYSTEMMODSTAMP" ASC NULLS FIRST, "SALESFORCE__LEAD"."_BACKHAUL_SEEN_AT" ASC, "SALESFORCE__LEAD"."_DLT_LOAD_ID" ASC
    ) AS "EMAIL_MARK_BEFORE"
  FROM "RAW"."SALESFORCE__LEAD" AS "SALESFORCE__LEAD"
), "NEWEST" AS (
  SELECT
    "VERSIONS"."RECORD_ID" AS "RECORD_ID",
    "VERSIONS"."SALUTATION" AS "SALUTATION",
    "VERSIONS"."FIRST_NAME" AS "FIRST_NAME",
    "VERSIONS"."LAST_NAME" AS "LAST_NAME",
    "VERSIONS"."EMAIL" AS "EMAIL",
    "VERSIONS"."PHONE" AS "PHONE",
    "VERSIONS"."MOBILE_PHONE" AS "MOBILE_PHONE",
    "VERSIONS"."STREET" AS "STREET",
    "VERSIONS"."CITY" AS "CITY",
    "VERSIONS"."STATE" AS "STATE",
    "VERSIONS"."POSTAL_CODE" AS "POSTAL_CODE",
    "VERSIONS"."COUNTRY" AS "COUNTRY",
    "VERSIONS"."COMPANY" AS "COMPANY",
    "VERSIONS"."JOB_TITLE" AS "JOB_TITLE",
    "VERSIONS"."LEAD_SOURCE" AS "LEAD_SOURCE",
    "VERSIONS"."BIRTH_DATE" AS "BIRTH_DATE",
    "VERSIONS"."OPTED_OUT" AS "OPTED_OUT",
    "VERSIONS"."DO_NOT_CALL" AS "DO_NOT_CALL",
    "VERSIONS"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    "VERSIONS"."CAMPAIGN_SCORE" AS "CAMPAIGN_SCORE",
    "VERSIONS"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
    "VERSIONS"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
    "VERSIONS"."IS_READ_ONLY" AS "IS_READ_ONLY",
    "VERSIONS"."CREATED_AT" AS "CREATED_AT",
    "VERSIONS"."MODIFIED_AT" AS "MODIFIED_AT",
    "VERSIONS"."IS_DELETED" AS "IS_DELETED",
    "VERSIONS"."SURVIVOR_ID" AS "SURVIVOR_ID",
    "VERSIONS"."VERSION_RANK" AS "VERSION_RANK",
    "VERSIONS"."SEEN_AT" AS "SEEN_AT",
    "VERSIONS"."CONTENT_MARK" AS "CONTENT_MARK",
    "VERSIONS"."CONTENT_MARK_BEFORE" AS "CONTENT_MARK_BEFORE",
    "VERSIONS"."EMAIL_MARK" AS "EMAIL_MARK",
    "VERSIONS"."EMAIL_MARK_BEFORE" AS "EMAIL_MARK_BEFORE",
    MAX(
      CASE
        WHEN "VERSIONS"."CONTENT_MARK" IS DISTINCT FROM "VERSIONS"."CONTENT_MARK_BEFORE"
        THEN "VERSIONS"."MODIFIED_AT"
      END
    ) OVER (PARTITION BY "VERSIONS"."RECORD_ID") AS "CONTENT_CHANGED_AT",
    MAX(
      CASE
        WHEN "VERSIONS"."EMAIL_MARK" IS DISTINCT FROM "VERSIONS"."EMAIL_MARK_BEFORE"
        THEN "VERSIONS"."MODIFIED_AT"
      END
    ) OVER (PARTITION BY "VERSIONS"."RECORD_ID") AS "EMAIL_CHANGED_AT",
    MIN("VERSIONS"."SEEN_AT") OVER (PARTITION BY "VERSIONS"."RECORD_ID") AS "FIRST_SEEN_AT"
  FROM "VERSIONS" AS "VERSIONS"
)
SELECT
  'salesforce:Lead:' || "NEWEST"."RECORD_ID" AS "RECORD_KEY",
  'salesforce' AS "ACCOUNT",
  'Lead' AS "OBJECT",
  "NEWEST"."RECORD_ID" AS "RECORD_ID",
  NULLIF(TRIM("NEWEST"."SALUTATION", '                　'), '') AS "SALUTATION",
  NULLIF(
    TRIM(
      REGEXP_REPLACE("NEWEST"."FIRST_NAME", '[ \\t\\n\\f\\r]+', ' '),
      '                　'
    ),
    ''
  ) AS "FIRST_NAME",
  NULLIF(
    TRIM(REGEXP_REPLACE("NEWEST"."LAST_NAME", '[ \\t\\n\\f\\r]+', ' '), '                　'),
    ''
  ) AS "LAST_NAME",
  NULLIF(
    RTRIM(
      LTRIM(
        REGEXP_REPLACE(REGEXP_REPLACE(LOWER("NEWEST"."EMAIL"), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''),
        '<('
      ),
      '>),.;'
    ),
    ''
  ) AS "EMAIL",
  NULLIF(TRIM("NEWEST"."PHONE", '                　'), '') AS "PHONE",
  NULLIF(TRIM("NEWEST"."MOBILE_PHONE", '                　'), '') AS "MOBILE_PHONE",
  NULLIF(TRIM("NEWEST"."STREET", '                　'), '') AS "STREET",
  NULLIF(TRIM("NEWEST"."CITY", '                　'), '') AS "CITY",
  NULLIF(TRIM("NEWEST"."STATE", '                　'), '') AS "STATE",
  NULLIF(TRIM("NEWEST"."POSTAL_CODE", '                　'), '') AS "POSTAL_CODE",
  NULLIF(TRIM("NEWEST"."COUNTRY", '                　'), '') AS "COUNTRY",
  NULLIF(TRIM("NEWEST"."COMPANY", '                　'), '') AS "COMPANY",
  NULLIF(TRIM("NEWEST"."JOB_TITLE", '                　'), '') AS "JOB_TITLE",
  NULLIF(TRIM("NEWEST"."LEAD_SOURCE", '                　'), '') AS "LEAD_SOURCE",
  CASE
    WHEN "NEWEST"."BIRTH_DATE" > CAST('1900-01-01' AS DATE)
    AND "NEWEST"."BIRTH_DATE" <> CAST('1970-01-01' AS DATE)
    AND "NEWEST"."BIRTH_DATE" < CAST('2100-01-01' AS DATE)
    THEN "NEWEST"."BIRTH_DATE"
  END AS "BIRTH_DATE",
  COALESCE("NEWEST"."OPTED_OUT", FALSE) AS "OPTED_OUT",
  COALESCE("NEWEST"."DO_NOT_CALL", FALSE) AS "DO_NOT_CALL",
  NULLIF(TRIM("NEWEST"."MEMBER_NUMBER", '                　'), '') AS "MEMBER_NUMBER",
  "NEWEST"."CAMPAIGN_SCORE" AS "CAMPAIGN_SCORE",
  "NEWEST"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
  "NEWEST"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
  "NEWEST"."IS_READ_ONLY" AS "IS_READ_ONLY",
  "NEWEST"."CREATED_AT" AS "CREATED_AT",
  "NEWEST"."MODIFIED_AT" AS "MODIFIED_AT",
  "NEWEST"."CONTENT_CHANGED_AT" AS "CONTENT_CHANGED_AT",
  "NEWEST"."EMAIL_CHANGED_AT" AS "EMAIL_CHANGED_AT",
  "NEWEST"."FIRST_SEEN_AT" AS "FIRST_SEEN_AT",
  "NEWEST"."SEEN_AT" AS "SEEN_AT",
  CASE
    WHEN REGEXP_COUNT(
      NULLIF(
        RTRIM(
          LTRIM(
            REGEXP_REPLACE(REGEXP_REPLACE(LOWER("NEWEST"."EMAIL"), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''),
            '<('
          ),
          '>),.;'
        ),
        ''
      ),
      '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    ) > 0
    THEN NULLIF(
      RTRIM(
        LTRIM(
          REGEXP_REPLACE(REGEXP_REPLACE(LOWER("NEWEST"."EMAIL"), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''),
          '<('
        ),
        '>),.;'
      ),
      ''
    )
  END AS "EMAIL_KEY",
  CASE
    WHEN LENGTH(
      LTRIM(
        CASE
          WHEN REGEXP_COUNT(
            TRIM(
              REPLACE(
                REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '                　'
            ),
            '^(\\(?\\+|00)'
          ) > 0
          THEN REGEXP_REPLACE(
            LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            ),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          )
        END,
        '0'
      )
    ) >= 6
    AND LENGTH(
      REPLACE(
        LTRIM(
          CASE
            WHEN REGEXP_COUNT(
              TRIM(
                REPLACE(
                  REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '                　'
              ),
              '^(\\(?\\+|00)'
            ) > 0
            THEN REGEXP_REPLACE(
              LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              ),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            )
          END,
          '0'
        ),
        SUBSTRING(
          LTRIM(
            CASE
              WHEN REGEXP_COUNT(
                TRIM(
                  REPLACE(
                    REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '                　'
                ),
                '^(\\(?\\+|00)'
              ) > 0
              THEN REGEXP_REPLACE(
                LTRIM(
                  REGEXP_REPLACE(
                    REPLACE(
                      REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                      '(0)',
                      ''
                    ),
                    '[^0-9]',
                    ''
                  ),
                  '0'
                ),
                '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              )
            END,
            '0'
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN LTRIM(
      CASE
        WHEN REGEXP_COUNT(
          TRIM(
            REPLACE(
              REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '                　'
          ),
          '^(\\(?\\+|00)'
        ) > 0
        THEN REGEXP_REPLACE(
          LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          ),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE LTRIM(
          REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(LOWER("NEWEST"."PHONE"), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ),
          '0'
        )
      END,
      '0'
    )
  END AS "PHONE_KEY",
  CASE
    WHEN LENGTH(
      LTRIM(
        CASE
          WHEN REGEXP_COUNT(
            TRIM(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER("NEWEST"."MOBILE_PHONE"),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '                　'
            ),
            '^(\\(?\\+|00)'
          ) > 0
          THEN REGEXP_REPLACE(
            LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER("NEWEST"."MOBILE_PHONE"),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            ),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER("NEWEST"."MOBILE_PHONE"),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          )
        END,
        '0'
      )
    ) >= 6
    AND LENGTH(
      REPLACE(
        LTRIM(
          CASE
            WHEN REGEXP_COUNT(
              TRIM(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER("NEWEST"."MOBILE_PHONE"),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '                　'
              ),
              '^(\\(?\\+|00)'
            ) > 0
            THEN REGEXP_REPLACE(
              LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(
                      LOWER("NEWEST"."MOBILE_PHONE"),
                      '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              ),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE LTRIM(
              REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER("NEWEST"."MOBILE_PHONE"),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              ),
              '0'
            )
          END,
          '0'
        ),
        SUBSTRING(
          LTRIM(
            CASE
              WHEN REGEXP_COUNT(
                TRIM(
                  REPLACE(
                    REGEXP_REPLACE(
                      LOWER("NEWEST"."MOBILE_PHONE"),
                      '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '                　'
                ),
                '^(\\(?\\+|00)'
              ) > 0
              THEN REGEXP_REPLACE(
                LTRIM(
                  REGEXP_REPLACE(
                    REPLACE(
                      REGEXP_REPLACE(
                        LOWER("NEWEST"."MOBILE_PHONE"),
                        '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                        ''
                      ),
                      '(0)',
                      ''
                    ),
                    '[^0-9]',
                    ''
                  ),
                  '0'
                ),
                '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE LTRIM(
                REGEXP_REPLACE(
                  REPLACE(
                    REGEXP_REPLACE(
                      LOWER("NEWEST"."MOBILE_PHONE"),
                      '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '[^0-9]',
                  ''
                ),
                '0'
              )
            END,
            '0'
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN LTRIM(
      CASE
        WHEN REGEXP_COUNT(
          TRIM(
            REPLACE(
              REGEXP_REPLACE(
                LOWER("NEWEST"."MOBILE_PHONE"),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '                　'
          ),
          '^(\\(?\\+|00)'
        ) > 0
        THEN REGEXP_REPLACE(
          LTRIM(
            REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER("NEWEST"."MOBILE_PHONE"),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ),
            '0'
          ),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE LTRIM(
          REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(
                LOWER("NEWEST"."MOBILE_PHONE"),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ),
          '0'
        )
      END,
      '0'
    )
  END AS "MOBILE_KEY",
  CASE
    WHEN NULLIF(
      TRIM(
        "BACKHAUL".SIGNS_REPLACED(
          REPLACE(
            REPLACE(
              REPLACE(
                TRANSLATE(
                  "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."FIRST_NAME" AS VARCHAR))),
                  'øłđıςþ',
                  'oldiσt'
                ),
                'ß',
                'ss'
              ),
              'æ',
              'ae'
            ),
            'œ',
            'oe'
          ),
          ' '
        ),
        '                　'
      ),
      ''
    ) IN (
      'unknown',
      'n a',
      'na',
      'none',
      'null',
      'test',
      'tbd',
      'x',
      'xx',
      'xxx',
      'unbekannt',
      'inconnu',
      'desconocido',
      'brak',
      'info',
      'contact',
      'not provided',
      'no name'
    )
    THEN NULL
    ELSE NULLIF(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              NULLIF(
                TRIM(
                  "BACKHAUL".SIGNS_REPLACED(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          TRANSLATE(
                            "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."FIRST_NAME" AS VARCHAR))),
                            'øłđıςþ',
                            'oldiσt'
                          ),
                          'ß',
                          'ss'
                        ),
                        'æ',
                        'ae'
                      ),
                      'œ',
                      'oe'
                    ),
                    ' '
                  ),
                  '                　'
                ),
                ''
              ),
              'ae',
              'a'
            ),
            'oe',
            'o'
          ),
          'ue',
          'u'
        ),
        ' ',
        ''
      ),
      ''
    )
  END AS "GIVEN_KEY",
  NULLIF(
    SPLIT_PART(
      REPLACE(
        REPLACE(
          REPLACE(
            COALESCE(
              NULLIF(
                TRIM(
                  "BACKHAUL".SIGNS_REPLACED(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          TRANSLATE(
                            "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."FIRST_NAME" AS VARCHAR))),
                            'øłđıςþ',
                            'oldiσt'
                          ),
                          'ß',
                          'ss'
                        ),
                        'æ',
                        'ae'
                      ),
                      'œ',
                      'oe'
                    ),
                    ' '
                  ),
                  '                　'
                ),
                ''
              ),
              ''
            ),
            'ae',
            'a'
          ),
          'oe',
          'o'
        ),
        'ue',
        'u'
      ),
      ' ',
      1
    ),
    ''
  ) AS "GIVEN_FIRST_KEY",
  CASE
    WHEN NULLIF(
      TRIM(
        "BACKHAUL".SIGNS_REPLACED(
          REPLACE(
            REPLACE(
              REPLACE(
                TRANSLATE(
                  "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."LAST_NAME" AS VARCHAR))),
                  'øłđıςþ',
                  'oldiσt'
                ),
                'ß',
                'ss'
              ),
              'æ',
              'ae'
            ),
            'œ',
            'oe'
          ),
          ' '
        ),
        '                　'
      ),
      ''
    ) IN (
      'unknown',
      'n a',
      'na',
      'none',
      'null',
      'test',
      'tbd',
      'x',
      'xx',
      'xxx',
      'unbekannt',
      'inconnu',
      'desconocido',
      'brak',
      'info',
      'contact',
      'not provided',
      'no name'
    )
    THEN NULL
    ELSE NULLIF(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              NULLIF(
                TRIM(
                  "BACKHAUL".SIGNS_REPLACED(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          TRANSLATE(
                            "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."LAST_NAME" AS VARCHAR))),
                            'øłđıςþ',
                            'oldiσt'
                          ),
                          'ß',
                          'ss'
                        ),
                        'æ',
                        'ae'
                      ),
                      'œ',
                      'oe'
                    ),
                    ' '
                  ),
                  '                　'
                ),
                ''
              ),
              'ae',
              'a'
            ),
            'oe',
            'o'
          ),
          'ue',
          'u'
        ),
        ' ',
        ''
      ),
      ''
    )
  END AS "SURNAME_KEY",
  NULLIF(
    TRIM(
      REGEXP_REPLACE(
        REGEXP_REPLACE(
          REGEXP_REPLACE(
            REGEXP_REPLACE(
              ' ' || COALESCE(
                NULLIF(
                  TRIM(
                    "BACKHAUL".SIGNS_REPLACED(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            TRANSLATE(
                              "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."STREET" AS VARCHAR))),
                              'øłđıςþ',
                              'oldiσt'
                            ),
                            'ß',
                            'ss'
                          ),
                          'æ',
                          'ae'
                        ),
                        'œ',
                        'oe'
                      ),
                      ' '
                    ),
                    '                　'
                  ),
                  ''
                ),
                ''
              ) || ' ',
              '(strasse|str) ',
              'st '
            ),
            ' (street|saint|sankt) ',
            ' st '
          ),
          ' road ',
          ' rd '
        ),
        ' (avenue|av) ',
        ' ave '
      ),
      '                　'
    ),
    ''
  ) AS "STREET_KEY",
  NULLIF(
    LTRIM(
      COALESCE(
        REGEXP_SUBSTR("NEWEST"."STREET", '[0-9]+'),
        CASE WHEN NOT "NEWEST"."STREET" IS NULL THEN '' END
      ),
      '0'
    ),
    ''
  ) AS "HOUSE_KEY",
  NULLIF(
    TRIM(
      "BACKHAUL".SIGNS_REPLACED(
        REPLACE(
          REPLACE(
            REPLACE(
              TRANSLATE(
                "BACKHAUL".STRIP_ACCENTS(LOWER(CAST("NEWEST"."CITY" AS VARCHAR))),
                'øłđıςþ',
                'oldiσt'
              ),
              'ß',
              'ss'
            ),
            'æ',
            'ae'
          ),
          'œ',
          'oe'
        ),
        ' '
      ),
      '                　'
    ),
    ''
  ) AS "CITY_KEY",
  NULLIF(REGEXP_REPLACE(UPPER("NEWEST"."POSTAL_CODE"), '[^A-Z0-9]', ''), '') AS "POSTCODE_KEY"
FROM "NEWEST" AS "NEWEST"
WHERE
  "NEWEST"."VERSION_RANK" = 1 AND NOT "NEWEST"."IS_DELETED";

-- records
WITH "EVERY_RECORD" AS (
  SELECT
    "STG_SALESFORCE_CONTACT"."RECORD_KEY" AS "RECORD_KEY",
    "STG_SALESFORCE_CONTACT"."ACCOUNT" AS "ACCOUNT",
    "STG_SALESFORCE_CONTACT"."OBJECT" AS "OBJECT",
    "STG_SALESFORCE_CONTACT"."RECORD_ID" AS "RECORD_ID",
    "STG_SALESFORCE_CONTACT"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
    "STG_SALESFORCE_CONTACT"."IS_READ_ONLY" AS "IS_READ_ONLY",
    "STG_SALESFORCE_CONTACT"."SALUTATION" AS "SALUTATION",
    "STG_SALESFORCE_CONTACT"."FIRST_NAME" AS "FIRST_NAME",
    "STG_SALESFORCE_CONTACT"."LAST_NAME" AS "LAST_NAME",
    "STG_SALESFORCE_CONTACT"."EMAIL" AS "EMAIL",
    "STG_SALESFORCE_CONTACT"."PHONE" AS "PHONE",
    "STG_SALESFORCE_CONTACT"."MOBILE_PHONE" AS "MOBILE_PHONE",
    "STG_SALESFORCE_CONTACT"."STREET" AS "STREET",
    "STG_SALESFORCE_CONTACT"."CITY" AS "CITY",
    "STG_SALESFORCE_CONTACT"."STATE" AS "STATE",
    "STG_SALESFORCE_CONTACT"."POSTAL_CODE" AS "POSTAL_CODE",
    "STG_SALESFORCE_CONTACT"."COUNTRY" AS "COUNTRY",
    "STG_SALESFORCE_CONTACT"."COMPANY" AS "COMPANY",
    "STG_SALESFORCE_CONTACT"."JOB_TITLE" AS "JOB_TITLE",
    "STG_SALESFORCE_CONTACT"."BIRTH_DATE" AS "BIRTH_DATE",
    "STG_SALESFORCE_CONTACT"."OPTED_OUT" AS "OPTED_OUT",
    "STG_SALESFORCE_CONTACT"."DO_NOT_CALL" AS "DO_NOT_CALL",
    "STG_SALESFORCE_CONTACT"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    "STG_SALESFORCE_CONTACT"."CREATED_AT" AS "CREATED_AT",
    "STG_SALESFORCE_CONTACT"."MODIFIED_AT" AS "MODIFIED_AT",
    "STG_SALESFORCE_CONTACT"."CONTENT_CHANGED_AT" AS "CONTENT_CHANGED_AT",
    "STG_SALESFORCE_CONTACT"."EMAIL_CHANGED_AT" AS "EMAIL_CHANGED_AT",
    "STG_SALESFORCE_CONTACT"."FIRST_SEEN_AT" AS "FIRST_SEEN_AT",
    "STG_SALESFORCE_CONTACT"."SEEN_AT" AS "SEEN_AT",
    "STG_SALESFORCE_CONTACT"."EMAIL_KEY" AS "EMAIL_KEY",
    "STG_SALESFORCE_CONTACT"."PHONE_KEY" AS "PHONE_KEY",
    "STG_SALESFORCE_CONTACT"."MOBILE_KEY" AS "MOBILE_KEY",
    "STG_SALESFORCE_CONTACT"."GIVEN_KEY" AS "GIVEN_KEY",
    "STG_SALESFORCE_CONTACT"."GIVEN_FIRST_KEY" AS "GIVEN_FIRST_KEY",
    "STG_SALESFORCE_CONTACT"."SURNAME_KEY" AS "SURNAME_KEY",
    "STG_SALESFORCE_CONTACT"."STREET_KEY" AS "STREET_KEY",
    "STG_SALESFORCE_CONTACT"."HOUSE_KEY" AS "HOUSE_KEY",
    "STG_SALESFORCE_CONTACT"."CITY_KEY" AS "CITY_KEY",
    "STG_SALESFORCE_CONTACT"."POSTCODE_KEY" AS "POSTCODE_KEY"
  FROM "STAGING"."STG_SALESFORCE_CONTACT" AS "STG_SALESFORCE_CONTACT"
  UNION ALL
  SELECT
    "STG_SALESFORCE_LEAD"."RECORD_KEY" AS "RECORD_KEY",
    "STG_SALESFORCE_LEAD"."ACCOUNT" AS "ACCOUNT",
    "STG_SALESFORCE_LEAD"."OBJECT" AS "OBJECT",
    "STG_SALESFORCE_LEAD"."RECORD_ID" AS "RECORD_ID",
    "STG_SALESFORCE_LEAD"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
    "STG_SALESFORCE_LEAD"."IS_READ_ONLY" AS "IS_READ_ONLY",
    "STG_SALESFORCE_LEAD"."SALUTATION" AS "SALUTATION",
    "STG_SALESFORCE_LEAD"."FIRST_NAME" AS "FIRST_NAME",
    "STG_SALESFORCE_LEAD"."LAST_NAME" AS "LAST_NAME",
    "STG_SALESFORCE_LEAD"."EMAIL" AS "EMAIL",
    "STG_SALESFORCE_LEAD"."PHONE" AS "PHONE",
    "STG_SALESFORCE_LEAD"."MOBILE_PHONE" AS "MOBILE_PHONE",
    "STG_SALESFORCE_LEAD"."STREET" AS "STREET",
    "STG_SALESFORCE_LEAD"."CITY" AS "CITY",
    "STG_SALESFORCE_LEAD"."STATE" AS "STATE",
    "STG_SALESFORCE_LEAD"."POSTAL_CODE" AS "POSTAL_CODE",
    "STG_SALESFORCE_LEAD"."COUNTRY" AS "COUNTRY",
    "STG_SALESFORCE_LEAD"."COMPANY" AS "COMPANY",
    "STG_SALESFORCE_LEAD"."JOB_TITLE" AS "JOB_TITLE",
    "STG_SALESFORCE_LEAD"."BIRTH_DATE" AS "BIRTH_DATE",
    "STG_SALESFORCE_LEAD"."OPTED_OUT" AS "OPTED_OUT",
    "STG_SALESFORCE_LEAD"."DO_NOT_CALL" AS "DO_NOT_CALL",
    "STG_SALESFORCE_LEAD"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    "STG_SALESFORCE_LEAD"."CREATED_AT" AS "CREATED_AT",
    "STG_SALESFORCE_LEAD"."MODIFIED_AT" AS "MODIFIED_AT",
    "STG_SALESFORCE_LEAD"."CONTENT_CHANGED_AT" AS "CONTENT_CHANGED_AT",
    "STG_SALESFORCE_LEAD"."EMAIL_CHANGED_AT" AS "EMAIL_CHANGED_AT",
    "STG_SALESFORCE_LEAD"."FIRST_SEEN_AT" AS "FIRST_SEEN_AT",
    "STG_SALESFORCE_LEAD"."SEEN_AT" AS "SEEN_AT",
    "STG_SALESFORCE_LEAD"."EMAIL_KEY" AS "EMAIL_KEY",
    "STG_SALESFORCE_LEAD"."PHONE_KEY" AS "PHONE_KEY",
    "STG_SALESFORCE_LEAD"."MOBILE_KEY" AS "MOBILE_KEY",
    "STG_SALESFORCE_LEAD"."GIVEN_KEY" AS "GIVEN_KEY",
    "STG_SALESFORCE_LEAD"."GIVEN_FIRST_KEY" AS "GIVEN_FIRST_KEY",
    "STG_SALESFORCE_LEAD"."SURNAME_KEY" AS "SURNAME_KEY",
    "STG_SALESFORCE_LEAD"."STREET_KEY" AS "STREET_KEY",
    "STG_SALESFORCE_LEAD"."HOUSE_KEY" AS "HOUSE_KEY",
    "STG_SALESFORCE_LEAD"."CITY_KEY" AS "CITY_KEY",
    "STG_SALESFORCE_LEAD"."POSTCODE_KEY" AS "POSTCODE_KEY"
  FROM "STAGING"."STG_SALESFORCE_LEAD" AS "STG_SALESFORCE_LEAD"
  UNION ALL
  SELECT
    "STG_DYNAMICS_CONTACT"."RECORD_KEY" AS "RECORD_KEY",
    "STG_DYNAMICS_CONTACT"."ACCOUNT" AS "ACCOUNT",
    "STG_DYNAMICS_CONTACT"."OBJECT" AS "OBJECT",
    "STG_DYNAMICS_CONTACT"."RECORD_ID" AS "RECORD_ID",
    "STG_DYNAMICS_CONTACT"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
    "STG_DYNAMICS_CONTACT"."IS_READ_ONLY" AS "IS_READ_ONLY",
    "STG_DYNAMICS_CONTACT"."SALUTATION" AS "SALUTATION",
    "STG_DYNAMICS_CONTACT"."FIRST_NAME" AS "FIRST_NAME",
    "STG_DYNAMICS_CONTACT"."LAST_NAME" AS "LAST_NAME",
    "STG_DYNAMICS_CONTACT"."EMAIL" AS "EMAIL",
    "STG_DYNAMICS_CONTACT"."PHONE" AS "PHONE",
    "STG_DYNAMICS_CONTACT"."MOBILE_PHONE" AS "MOBILE_PHONE",
    "STG_DYNAMICS_CONTACT"."STREET" AS "STREET",
    "STG_DYNAMICS_CONTACT"."CITY" AS "CITY",
    "STG_DYNAMICS_CONTACT"."STATE" AS "STATE",
    "STG_DYNAMICS_CONTACT"."POSTAL_CODE" AS "POSTAL_CODE",
    "STG_DYNAMICS_CONTACT"."COUNTRY" AS "COUNTRY",
    "STG_DYNAMICS_CONTACT"."COMPANY" AS "COMPANY",
    "STG_DYNAMICS_CONTACT"."JOB_TITLE" AS "JOB_TITLE",
    "STG_DYNAMICS_CONTACT"."BIRTH_DATE" AS "BIRTH_DATE",
    "STG_DYNAMICS_CONTACT"."OPTED_OUT" AS "OPTED_OUT",
    "STG_DYNAMICS_CONTACT"."DO_NOT_CALL" AS "DO_NOT_CALL",
    "STG_DYNAMICS_CONTACT"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    "STG_DYNAMICS_CONTACT"."CREATED_AT" AS "CREATED_AT",
    "STG_DYNAMICS_CONTACT"."MODIFIED_AT" AS "MODIFIED_AT",
    "STG_DYNAMICS_CONTACT"."CONTENT_CHANGED_AT" AS "CONTENT_CHANGED_AT",
    "STG_DYNAMICS_CONTACT"."EMAIL_CHANGED_AT" AS "EMAIL_CHANGED_AT",
    "STG_DYNAMICS_CONTACT"."FIRST_SEEN_AT" AS "FIRST_SEEN_AT",
    "STG_DYNAMICS_CONTACT"."SEEN_AT" AS "SEEN_AT",
    "STG_DYNAMICS_CONTACT"."EMAIL_KEY" AS "EMAIL_KEY",
    "STG_DYNAMICS_CONTACT"."PHONE_KEY" AS "PHONE_KEY",
    "STG_DYNAMICS_CONTACT"."MOBILE_KEY" AS "MOBILE_KEY",
    "STG_DYNAMICS_CONTACT"."GIVEN_KEY" AS "GIVEN_KEY",
    "STG_DYNAMICS_CONTACT"."GIVEN_FIRST_KEY" AS "GIVEN_FIRST_KEY",
    "STG_DYNAMICS_CONTACT"."SURNAME_KEY" AS "SURNAME_KEY",
    "STG_DYNAMICS_CONTACT"."STREET_KEY" AS "STREET_KEY",
    "STG_DYNAMICS_CONTACT"."HOUSE_KEY" AS "HOUSE_KEY",
    "STG_DYNAMICS_CONTACT"."CITY_KEY" AS "CITY_KEY",
    "STG_DYNAMICS_CONTACT"."POSTCODE_KEY" AS "POSTCODE_KEY"
  FROM "STAGING"."STG_DYNAMICS_CONTACT" AS "STG_DYNAMICS_CONTACT"
  UNION ALL
  SELECT
    "STG_DYNAMICS_LEAD"."RECORD_KEY" AS "RECORD_KEY",
    "STG_DYNAMICS_LEAD"."ACCOUNT" AS "ACCOUNT",
    "STG_DYNAMICS_LEAD"."OBJECT" AS "OBJECT",
    "STG_DYNAMICS_LEAD"."RECORD_ID" AS "RECORD_ID",
    "STG_DYNAMICS_LEAD"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
    "STG_DYNAMICS_LEAD"."IS_READ_ONLY" AS "IS_READ_ONLY",
    "STG_DYNAMICS_LEAD"."SALUTATION" AS "SALUTATION",
    "STG_DYNAMICS_LEAD"."FIRST_NAME" AS "FIRST_NAME",
    "STG_DYNAMICS_LEAD"."LAST_NAME" AS "LAST_NAME",
    "STG_DYNAMICS_LEAD"."EMAIL" AS "EMAIL",
    "STG_DYNAMICS_LEAD"."PHONE" AS "PHONE",
    "STG_DYNAMICS_LEAD"."MOBILE_PHONE" AS "MOBILE_PHONE",
    "STG_DYNAMICS_LEAD"."STREET" AS "STREET",
    "STG_DYNAMICS_LEAD"."CITY" AS "CITY",
    "STG_DYNAMICS_LEAD"."STATE" AS "STATE",
    "STG_DYNAMICS_LEAD"."POSTAL_CODE" AS "POSTAL_CODE",
    "STG_DYNAMICS_LEAD"."COUNTRY" AS "COUNTRY",
    "STG_DYNAMICS_LEAD"."COMPANY" AS "COMPANY",
    "STG_DYNAMICS_LEAD"."JOB_TITLE" AS "JOB_TITLE",
    "STG_DYNAMICS_LEAD"."BIRTH_DATE" AS "BIRTH_DATE",
    "STG_DYNAMICS_LEAD"."OPTED_OUT" AS "OPTED_OUT",
    "STG_DYNAMICS_LEAD"."DO_NOT_CALL" AS "DO_NOT_CALL",
    "STG_DYNAMICS_LEAD"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    "STG_DYNAMICS_LEAD"."CREATED_AT" AS "CREATED_AT",
    "STG_DYNAMICS_LEAD"."MODIFIED_AT" AS "MODIFIED_AT",
    "STG_DYNAMICS_LEAD"."CONTENT_CHANGED_AT" AS "CONTENT_CHANGED_AT",
    "STG_DYNAMICS_LEAD"."EMAIL_CHANGED_AT" AS "EMAIL_CHANGED_AT",
    "STG_DYNAMICS_LEAD"."FIRST_SEEN_AT" AS "FIRST_SEEN_AT",
    "STG_DYNAMICS_LEAD"."SEEN_AT" AS "SEEN_AT",
    "STG_DYNAMICS_LEAD"."EMAIL_KEY" AS "EMAIL_KEY",
    "STG_DYNAMICS_LEAD"."PHONE_KEY" AS "PHONE_KEY",
    "STG_DYNAMICS_LEAD"."MOBILE_KEY" AS "MOBILE_KEY",
    "STG_DYNAMICS_LEAD"."GIVEN_KEY" AS "GIVEN_KEY",
    "STG_DYNAMICS_LEAD"."GIVEN_FIRST_KEY" AS "GIVEN_FIRST_KEY",
    "STG_DYNAMICS_LEAD"."SURNAME_KEY" AS "SURNAME_KEY",
    "STG_DYNAMICS_LEAD"."STREET_KEY" AS "STREET_KEY",
    "STG_DYNAMICS_LEAD"."HOUSE_KEY" AS "HOUSE_KEY",
    "STG_DYNAMICS_LEAD"."CITY_KEY" AS "CITY_KEY",
    "STG_DYNAMICS_LEAD"."POSTCODE_KEY" AS "POSTCODE_KEY"
  FROM "STAGING"."STG_DYNAMICS_LEAD" AS "STG_DYNAMICS_LEAD"
), "GIVEN_NAMES" AS (
  SELECT
    "EVERY_RECORD"."GIVEN_KEY" AS "GIVEN_KEY",
    COUNT(DISTINCT "EVERY_RECORD"."SURNAME_KEY") AS "SURNAMES"
  FROM "EVERY_RECORD" AS "EVERY_RECORD"
  WHERE
    NOT "EVERY_RECORD"."GIVEN_KEY" IS NULL
  GROUP BY
    "EVERY_RECORD"."GIVEN_KEY"
)
SELECT
  ROW_NUMBER() OVER (ORDER BY "EVERY_RECORD"."RECORD_KEY") AS "RECORD_NO",
  "EVERY_RECORD"."RECORD_KEY" AS "RECORD_KEY",
  "EVERY_RECORD"."ACCOUNT" AS "ACCOUNT",
  "EVERY_RECORD"."OBJECT" AS "OBJECT",
  "EVERY_RECORD"."RECORD_ID" AS "RECORD_ID",
  "EVERY_RECORD"."CONVERTED_TO_ID" AS "CONVERTED_TO_ID",
  "EVERY_RECORD"."IS_READ_ONLY" AS "IS_READ_ONLY",
  "EVERY_RECORD"."SALUTATION" AS "SALUTATION",
  "EVERY_RECORD"."FIRST_NAME" AS "FIRST_NAME",
  "EVERY_RECORD"."LAST_NAME" AS "LAST_NAME",
  "EVERY_RECORD"."EMAIL" AS "EMAIL",
  "EVERY_RECORD"."PHONE" AS "PHONE",
  "EVERY_RECORD"."MOBILE_PHONE" AS "MOBILE_PHONE",
  "EVERY_RECORD"."STREET" AS "STREET",
  "EVERY_RECORD"."CITY" AS "CITY",
  "EVERY_RECORD"."STATE" AS "STATE",
  "EVERY_RECORD"."POSTAL_CODE" AS "POSTAL_CODE",
  "EVERY_RECORD"."COUNTRY" AS "COUNTRY",
  "EVERY_RECORD"."COMPANY" AS "COMPANY",
  "EVERY_RECORD"."JOB_TITLE" AS "JOB_TITLE",
  "EVERY_RECORD"."BIRTH_DATE" AS "BIRTH_DATE",
  "EVERY_RECORD"."OPTED_OUT" AS "OPTED_OUT",
  "EVERY_RECORD"."DO_NOT_CALL" AS "DO_NOT_CALL",
  "EVERY_RECORD"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
  "EVERY_RECORD"."CREATED_AT" AS "CREATED_AT",
  "EVERY_RECORD"."MODIFIED_AT" AS "MODIFIED_AT",
  "EVERY_RECORD"."CONTENT_CHANGED_AT" AS "CONTENT_CHANGED_AT",
  "EVERY_RECORD"."EMAIL_CHANGED_AT" AS "EMAIL_CHANGED_AT",
  "EVERY_RECORD"."FIRST_SEEN_AT" AS "FIRST_SEEN_AT",
  "EVERY_RECORD"."SEEN_AT" AS "SEEN_AT",
  "EVERY_RECORD"."EMAIL_KEY" AS "EMAIL_KEY",
  "EVERY_RECORD"."PHONE_KEY" AS "PHONE_KEY",
  "EVERY_RECORD"."MOBILE_KEY" AS "MOBILE_KEY",
  "EVERY_RECORD"."GIVEN_KEY" AS "GIVEN_KEY",
  "EVERY_RECORD"."GIVEN_FIRST_KEY" AS "GIVEN_FIRST_KEY",
  "EVERY_RECORD"."SURNAME_KEY" AS "SURNAME_KEY",
  "EVERY_RECORD"."STREET_KEY" AS "STREET_KEY",
  "EVERY_RECORD"."HOUSE_KEY" AS "HOUSE_KEY",
  "EVERY_RECORD"."CITY_KEY" AS "CITY_KEY",
  "EVERY_RECORD"."POSTCODE_KEY" AS "POSTCODE_KEY",
  NULLIF(
    TRIM(
      REGEXP_REPLACE(
        REGEXP_REPLACE(
          ' ' || "EVERY_RECORD"."STREET_KEY" || ' ',
          ' ([0-9]+[a-z]?|st|rd|ave|lane|place|court|close|drive|crescent|circuit|way|square|boulevard|blvd|platz|weg|allee|rue|place|impasse|chemin|allee|calle|avenida|plaza|paseo|camino|ul|al|os|via|piazza|corso|ulica|the|de|la|le|les|du|des|del|der|den|dem|am|im|an|zum|zur)( ([0-9]+[a-z]?|st|rd|ave|lane|place|rue|de|la|le|les|du|des|del|der|the))* ',
          ' '
        ),
        ' +',
        ' '
      ),
      '                　'
    ),
    ''
  ) AS "ROAD_KEY",
  SUBSTRING(
    SUBSTRING("EVERY_RECORD"."GIVEN_KEY", 1, 1) || REPLACE(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              REPLACE(
                REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            REPLACE(
                              REPLACE(
                                REPLACE(
                                  TRANSLATE(
                                    SUBSTRING("EVERY_RECORD"."GIVEN_KEY", 2),
                                    'bfpvcgjkqsxzdtlmnraeiouyhw',
                                    '11112222222233455600000000'
                                  ),
                                  '000',
                                  '0'
                                ),
                                '00',
                                '0'
                              ),
                              '111',
                              '1'
                            ),
                            '11',
                            '1'
                          ),
                          '222',
                          '2'
                        ),
                        '22',
                        '2'
                      ),
                      '333',
                      '3'
                    ),
                    '33',
                    '3'
                  ),
                  '444',
                  '4'
                ),
                '44',
                '4'
              ),
              '555',
              '5'
            ),
            '55',
            '5'
          ),
          '666',
          '6'
        ),
        '66',
        '6'
      ),
      '0',
      ''
    ),
    1,
    4
  ) AS "GIVEN_SOUND",
  SUBSTRING(
    SUBSTRING("EVERY_RECORD"."SURNAME_KEY", 1, 1) || REPLACE(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              REPLACE(
                REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            REPLACE(
                              REPLACE(
                                REPLACE(
                                  TRANSLATE(
                                    SUBSTRING("EVERY_RECORD"."SURNAME_KEY", 2),
                                    'bfpvcgjkqsxzdtlmnraeiouyhw',
                                    '11112222222233455600000000'
                                  ),
                                  '000',
                                  '0'
                                ),
                                '00',
                                '0'
                              ),
                              '111',
                              '1'
                            ),
                            '11',
                            '1'
                          ),
                          '222',
                          '2'
                        ),
                        '22',
                        '2'
                      ),
                      '333',
                      '3'
                    ),
                    '33',
                    '3'
                  ),
                  '444',
                  '4'
                ),
                '44',
                '4'
              ),
              '555',
              '5'
            ),
            '55',
            '5'
          ),
          '666',
          '6'
        ),
        '66',
        '6'
      ),
      '0',
      ''
    ),
    1,
    4
  ) AS "SURNAME_SOUND",
  COALESCE("GIVEN_NAMES"."SURNAMES", 0) AS "GIVEN_SURNAMES"
FROM "EVERY_RECORD" AS "EVERY_RECORD"
LEFT JOIN "GIVEN_NAMES" AS "GIVEN_NAMES"
  ON "EVERY_RECORD"."GIVEN_KEY" = "GIVEN_NAMES"."GIVEN_KEY";

-- candidates
WITH "SOUNDS" AS (
  SELECT
    "RECORDS"."RECORD_NO" AS "RECORD_NO",
    "RECORDS"."EMAIL_KEY" AS "EMAIL_KEY",
    "RECORDS"."GIVEN_KEY" AS "GIVEN_KEY",
    "RECORDS"."SURNAME_KEY" AS "SURNAME_KEY",
    "RECORDS"."GIVEN_SOUND" AS "GIVEN_SOUND",
    "RECORDS"."SURNAME_SOUND" AS "SURNAME_SOUND",
    "RECORDS"."PHONE_KEY" AS "PHONE_KEY",
    "RECORDS"."MOBILE_KEY" AS "MOBILE_KEY",
    CASE
      WHEN "RECORDS"."GIVEN_SOUND" < "RECORDS"."SURNAME_SOUND"
      THEN "RECORDS"."GIVEN_SOUND" || "RECORDS"."SURNAME_SOUND"
      ELSE "RECORDS"."SURNAME_SOUND" || "RECORDS"."GIVEN_SOUND"
    END AS "BOTH_SOUNDS",
    TO_CHAR("RECORDS"."BIRTH_DATE", 'yyyymmDD') AS "BIRTH",
    SUBSTRING(TO_CHAR("RECORDS"."BIRTH_DATE", 'yyyymmDD'), 1, 4) AS "BIRTH_YEAR",
    SUBSTRING(TO_CHAR("RECORDS"."BIRTH_DATE", 'yyyymmDD'), 5, 4) AS "BIRTH_DAY",
    "RECORDS"."POSTCODE_KEY" AS "POSTCODE_KEY",
    "RECORDS"."HOUSE_KEY" AS "HOUSE_KEY",
    SUBSTRING("RECORDS"."CITY_KEY", 1, 5) AS "CITY_START",
    SUBSTRING("RECORDS"."STREET_KEY", 1, 5) AS "STREET_START"
  FROM "MATCHING"."RECORDS" AS "RECORDS"
), "KEYED" AS (
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'email|' || "SOUNDS"."EMAIL_KEY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'email name|' || "SOUNDS"."EMAIL_KEY" || '|' || "SOUNDS"."GIVEN_KEY" || '|' || "SOUNDS"."SURNAME_KEY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'phone|' || "SOUNDS"."PHONE_KEY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'phone|' || "SOUNDS"."MOBILE_KEY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'phone name|' || "SOUNDS"."PHONE_KEY" || '|' || "SOUNDS"."BOTH_SOUNDS" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'phone name|' || "SOUNDS"."MOBILE_KEY" || '|' || "SOUNDS"."BOTH_SOUNDS" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'birth name|' || "SOUNDS"."BIRTH" || '|' || "SOUNDS"."GIVEN_SOUND" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'birth name|' || "SOUNDS"."BIRTH" || '|' || "SOUNDS"."SURNAME_SOUND" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'birth place|' || "SOUNDS"."BIRTH" || '|' || "SOUNDS"."POSTCODE_KEY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'birth house|' || "SOUNDS"."BIRTH" || '|' || "SOUNDS"."HOUSE_KEY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'birth city|' || "SOUNDS"."BIRTH" || '|' || "SOUNDS"."CITY_START" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'names year|' || "SOUNDS"."BOTH_SOUNDS" || '|' || "SOUNDS"."BIRTH_YEAR" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'names day|' || "SOUNDS"."BOTH_SOUNDS" || '|' || "SOUNDS"."BIRTH_DAY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'names place|' || "SOUNDS"."BOTH_SOUNDS" || '|' || "SOUNDS"."POSTCODE_KEY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'names city|' || "SOUNDS"."BOTH_SOUNDS" || '|' || "SOUNDS"."CITY_START" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'names house|' || "SOUNDS"."BOTH_SOUNDS" || '|' || "SOUNDS"."HOUSE_KEY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'name house|' || "SOUNDS"."GIVEN_SOUND" || '|' || "SOUNDS"."POSTCODE_KEY" || '|' || "SOUNDS"."HOUSE_KEY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'name house|' || "SOUNDS"."SURNAME_SOUND" || '|' || "SOUNDS"."POSTCODE_KEY" || '|' || "SOUNDS"."HOUSE_KEY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'name street|' || "SOUNDS"."GIVEN_SOUND" || '|' || "SOUNDS"."POSTCODE_KEY" || '|' || "SOUNDS"."STREET_START" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'name street|' || "SOUNDS"."SURNAME_SOUND" || '|' || "SOUNDS"."POSTCODE_KEY" || '|' || "SOUNDS"."STREET_START" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'name door|' || "SOUNDS"."GIVEN_SOUND" || '|' || "SOUNDS"."STREET_START" || '|' || "SOUNDS"."HOUSE_KEY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'name door|' || "SOUNDS"."SURNAME_SOUND" || '|' || "SOUNDS"."STREET_START" || '|' || "SOUNDS"."HOUSE_KEY" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
  UNION ALL
  SELECT
    "SOUNDS"."RECORD_NO" AS "RECORD_NO",
    'door|' || "SOUNDS"."POSTCODE_KEY" || '|' || "SOUNDS"."HOUSE_KEY" || '|' || "SOUNDS"."STREET_START" AS "BLOCK_KEY"
  FROM "SOUNDS" AS "SOUNDS"
), "PLACED" AS (
  SELECT DISTINCT
    "KEYED"."RECORD_NO" AS "RECORD_NO",
    "KEYED"."BLOCK_KEY" AS "BLOCK_KEY"
  FROM "KEYED" AS "KEYED"
  WHERE
    NOT "KEYED"."BLOCK_KEY" IS NULL
), "BLOCKS" AS (
  SELECT
    "PLACED"."BLOCK_KEY" AS "BLOCK_KEY"
  FROM "PLACED" AS "PLACED"
  GROUP BY
    "PLACED"."BLOCK_KEY"
  HAVING
    COUNT(*) BETWEEN 2 AND 100
), "BOUNDED" AS (
  SELECT
    "PLACED"."RECORD_NO" AS "RECORD_NO",
    "PLACED"."BLOCK_KEY" AS "BLOCK_KEY"
  FROM "PLACED" AS "PLACED"
  INNER JOIN "BLOCKS" AS "BLOCKS"
    ON "PLACED"."BLOCK_KEY" = "BLOCKS"."BLOCK_KEY"
)
SELECT
  "A"."RECORD_NO" AS "RECORD_A",
  "B"."RECORD_NO" AS "RECORD_B"
FROM "BOUNDED" AS "A"
INNER JOIN "BOUNDED" AS "B"
  ON "A"."BLOCK_KEY" = "B"."BLOCK_KEY" AND "A"."RECORD_NO" < "B"."RECORD_NO"
UNION
SELECT
  LEAST_IGNORE_NULLS("LEADS"."RECORD_NO", "CONTACTS"."RECORD_NO") AS "_COL_0",
  GREATEST_IGNORE_NULLS("LEADS"."RECORD_NO", "CONTACTS"."RECORD_NO") AS "_COL_1"
FROM "MATCHING"."RECORDS" AS "LEADS"
INNER JOIN "MATCHING"."RECORDS" AS "CONTACTS"
  ON "LEADS"."ACCOUNT" = "CONTACTS"."ACCOUNT"
  AND "LEADS"."CONVERTED_TO_ID" = "CONTACTS"."RECORD_ID";

-- mailboxes
WITH "HOLDERS" AS (
  SELECT
    "RECORDS"."EMAIL_KEY" AS "EMAIL_KEY",
    "RECORDS"."GIVEN_KEY" AS "GIVEN_KEY",
    "RECORDS"."GIVEN_FIRST_KEY" AS "GIVEN_FIRST_KEY",
    "RECORDS"."SURNAME_KEY" AS "SURNAME_KEY",
    "RECORDS"."BIRTH_DATE" AS "BIRTH_DATE",
    MAX("RECORDS"."GIVEN_SURNAMES") AS "GIVEN_SURNAMES",
    COUNT(*) AS "RECORDS"
  FROM "MATCHING"."RECORDS" AS "RECORDS"
  WHERE
    NOT "RECORDS"."EMAIL_KEY" IS NULL
  GROUP BY
    "RECORDS"."EMAIL_KEY",
    "RECORDS"."GIVEN_KEY",
    "RECORDS"."GIVEN_FIRST_KEY",
    "RECORDS"."SURNAME_KEY",
    "RECORDS"."BIRTH_DATE"
), "COUNTED" AS (
  SELECT
    "HOLDERS"."EMAIL_KEY" AS "EMAIL_KEY",
    SUM("HOLDERS"."RECORDS") AS "RECORDS",
    COUNT(
      DISTINCT COALESCE("HOLDERS"."GIVEN_KEY", '') || ' ' || COALESCE("HOLDERS"."SURNAME_KEY", '')
    ) AS "NAMES"
  FROM "HOLDERS" AS "HOLDERS"
  GROUP BY
    "HOLDERS"."EMAIL_KEY"
), "CONTRADICTING" AS (
  SELECT DISTINCT
    "A"."EMAIL_KEY" AS "EMAIL_KEY"
  FROM "HOLDERS" AS "A"
  INNER JOIN "HOLDERS" AS "B"
    ON "A"."EMAIL_KEY" = "B"."EMAIL_KEY"
  INNER JOIN "COUNTED" AS "COUNTED"
    ON "A"."EMAIL_KEY" = "COUNTED"."EMAIL_KEY"
  WHERE
    "COUNTED"."NAMES" <= 20
    AND (
      CASE
        WHEN "A"."BIRTH_DATE" IS NULL OR "B"."BIRTH_DATE" IS NULL
        THEN NULL
        WHEN "A"."BIRTH_DATE" = "B"."BIRTH_DATE"
        THEN 'same'
        WHEN DATE_PART(YEAR, "A"."BIRTH_DATE") = DATE_PART(YEAR, "B"."BIRTH_DATE")
        AND DATE_PART(MONTH, "A"."BIRTH_DATE") = DATE_PART(DAY, "B"."BIRTH_DATE")
        AND DATE_PART(DAY, "A"."BIRTH_DATE") = DATE_PART(MONTH, "B"."BIRTH_DATE")
        THEN 'near'
        WHEN "BACKHAUL".DAMERAU_LEVENSHTEIN(TO_CHAR("A"."BIRTH_DATE", 'yyyymmDD'), TO_CHAR("B"."BIRTH_DATE", 'yyyymmDD')) = 1
        THEN 'near'
        ELSE 'different'
      END = 'different'
      OR (
        CASE
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          )
          THEN 'same'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            )
          )
          AND LEAST_IGNORE_NULLS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) >= 3
          AND ABS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ) - LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
            AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
          )
          THEN 'near'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            )
          )
          OR "A"."GIVEN_FIRST_KEY" = "B"."GIVEN_FIRST_KEY"
          THEN 'initial'
          WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST_IGNORE_NULLS(
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                    THEN "A"."SURNAME_KEY"
                    ELSE "A"."GIVEN_KEY"
                  END
                )
              ),
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                    THEN "B"."SURNAME_KEY"
                    ELSE "B"."GIVEN_KEY"
                  END
                )
              )
            ) >= 4
            AND (
              "BACKHAUL".JARO_WINKLER_SIMILARITY(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                    THEN "A"."SURNAME_KEY"
                    ELSE "A"."GIVEN_KEY"
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                    THEN "B"."SURNAME_KEY"
                    ELSE "B"."GIVEN_KEY"
                  END
                )
              ) >= 0.919999999
              OR (
                "BACKHAUL".JARO_WINKLER_SIMILARITY(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                      THEN "A"."SURNAME_KEY"
                      ELSE "A"."GIVEN_KEY"
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                      THEN "B"."SURNAME_KEY"
                      ELSE "B"."GIVEN_KEY"
                    END
                  )
                ) >= 0.7
                AND "BACKHAUL".DAMERAU_LEVENSHTEIN(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                      THEN "A"."SURNAME_KEY"
                      ELSE "A"."GIVEN_KEY"
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                      THEN "B"."SURNAME_KEY"
                      ELSE "B"."GIVEN_KEY"
                    END
                  )
                ) <= CASE
                  WHEN LEAST_IGNORE_NULLS(
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                            )
                            AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                            AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                            FALSE
                          )
                          AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                          THEN "A"."SURNAME_KEY"
                          ELSE "A"."GIVEN_KEY"
                        END
                      )
                    ),
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                            )
                            AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                            AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                            FALSE
                          )
                          AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                          THEN "B"."SURNAME_KEY"
                          ELSE "B"."GIVEN_KEY"
                        END
                      )
                    )
                  ) >= 8
                  THEN 2
                  ELSE 1
                END
              )
            )
          )
          THEN CASE
            WHEN (
              LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
              AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
            AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
          )
          AND LEAST_IGNORE_NULLS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) >= 5
          AND "BACKHAUL".DAMERAU_LEVENSHTEIN(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) <= 2
          THEN 'near'
          WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) >= 0.799999999
          THEN 'loose'
          ELSE 'different'
        END IN ('different', 'loose')
        AND CASE
          WHEN "A"."BIRTH_DATE" IS NULL OR "B"."BIRTH_DATE" IS NULL
          THEN NULL
          WHEN "A"."BIRTH_DATE" = "B"."BIRTH_DATE"
          THEN 'same'
          WHEN DATE_PART(YEAR, "A"."BIRTH_DATE") = DATE_PART(YEAR, "B"."BIRTH_DATE")
          AND DATE_PART(MONTH, "A"."BIRTH_DATE") = DATE_PART(DAY, "B"."BIRTH_DATE")
          AND DATE_PART(DAY, "A"."BIRTH_DATE") = DATE_PART(MONTH, "B"."BIRTH_DATE")
          THEN 'near'
          WHEN "BACKHAUL".DAMERAU_LEVENSHTEIN(TO_CHAR("A"."BIRTH_DATE", 'yyyymmDD'), TO_CHAR("B"."BIRTH_DATE", 'yyyymmDD')) = 1
          THEN 'near'
          ELSE 'different'
        END IS DISTINCT FROM 'same'
      )
      OR CASE
        WHEN (
          CASE
            WHEN COALESCE(
              (
                "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
              )
              AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
              AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
              FALSE
            )
            AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
            THEN "A"."SURNAME_KEY"
            ELSE "A"."GIVEN_KEY"
          END
        ) IS NULL
        OR (
          CASE
            WHEN COALESCE(
              (
                "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
              )
              AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
              AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
              FALSE
            )
            AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
            THEN "B"."SURNAME_KEY"
            ELSE "B"."GIVEN_KEY"
          END
        ) IS NULL
        THEN NULL
        WHEN (
          CASE
            WHEN COALESCE(
              (
                "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
              )
              AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
              AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
              FALSE
            )
            AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
            THEN "A"."SURNAME_KEY"
            ELSE "A"."GIVEN_KEY"
          END
        ) = (
          CASE
            WHEN COALESCE(
              (
                "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
              )
              AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
              AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
              FALSE
            )
            AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
            THEN "B"."SURNAME_KEY"
            ELSE "B"."GIVEN_KEY"
          END
        )
        THEN 'same'
        WHEN (
          STARTSWITH(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          )
          OR STARTSWITH(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            )
          )
        )
        AND LEAST_IGNORE_NULLS(
          LENGTH(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            )
          ),
          LENGTH(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          )
        ) >= 3
        AND ABS(
          LENGTH(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            )
          ) - LENGTH(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          )
        ) = 1
        AND NOT (
          LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
          AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
        )
        THEN 'near'
        WHEN (
          STARTSWITH(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          )
          OR STARTSWITH(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            )
          )
        )
        OR "A"."GIVEN_FIRST_KEY" = "B"."GIVEN_FIRST_KEY"
        THEN 'initial'
        WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY(
          (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ),
          (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          )
        ) < 0.7
        THEN 'different'
        WHEN (
          LEAST_IGNORE_NULLS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) >= 4
          AND (
            "BACKHAUL".JARO_WINKLER_SIMILARITY(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            ) >= 0.919999999
            OR (
              "BACKHAUL".JARO_WINKLER_SIMILARITY(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                    THEN "A"."SURNAME_KEY"
                    ELSE "A"."GIVEN_KEY"
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                    THEN "B"."SURNAME_KEY"
                    ELSE "B"."GIVEN_KEY"
                  END
                )
              ) >= 0.7
              AND "BACKHAUL".DAMERAU_LEVENSHTEIN(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                    THEN "A"."SURNAME_KEY"
                    ELSE "A"."GIVEN_KEY"
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                    THEN "B"."SURNAME_KEY"
                    ELSE "B"."GIVEN_KEY"
                  END
                )
              ) <= CASE
                WHEN LEAST_IGNORE_NULLS(
                  LENGTH(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                          )
                          AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                          AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                          FALSE
                        )
                        AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                        THEN "A"."SURNAME_KEY"
                        ELSE "A"."GIVEN_KEY"
                      END
                    )
                  ),
                  LENGTH(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                          )
                          AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                          AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                          FALSE
                        )
                        AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                        THEN "B"."SURNAME_KEY"
                        ELSE "B"."GIVEN_KEY"
                      END
                    )
                  )
                ) >= 8
                THEN 2
                ELSE 1
              END
            )
          )
        )
        THEN CASE
          WHEN (
            LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
            AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
          )
          THEN 'loose'
          ELSE 'near'
        END
        WHEN NOT (
          LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
          AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
        )
        AND LEAST_IGNORE_NULLS(
          LENGTH(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            )
          ),
          LENGTH(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          )
        ) >= 5
        AND "BACKHAUL".DAMERAU_LEVENSHTEIN(
          (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ),
          (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          )
        ) <= 2
        THEN 'near'
        WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY(
          (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ),
          (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          )
        ) >= 0.799999999
        THEN 'loose'
        ELSE 'different'
      END = 'different'
    )
)
SELECT
  "COUNTED"."EMAIL_KEY" AS "EMAIL_KEY",
  "COUNTED"."RECORDS" AS "RECORDS",
  "COUNTED"."NAMES" AS "NAMES",
  "COUNTED"."NAMES" > 20 AS "IS_STAND_IN",
  "COUNTED"."NAMES" > 20
  OR NOT "CONTRADICTING"."EMAIL_KEY" IS NULL
  OR REGEXP_COUNT(
    "COUNTED"."EMAIL_KEY",
    '^(info|office|contact|kontakt|contacto|kontor|biuro|buero|bureau|sales|vertrieb|service|support|help|hello|hallo|team|admin|mail|post|marketing|accounts?|billing|empfang|reception|sekretariat|secretary|noreply|no-reply|none|test|unknown|familie|family)([._-][a-z0-9]+)?@'
  ) > 0 AS "IS_SHARED"
FROM "COUNTED" AS "COUNTED"
LEFT JOIN "CONTRADICTING" AS "CONTRADICTING"
  ON "COUNTED"."EMAIL_KEY" = "CONTRADICTING"."EMAIL_KEY";

-- pairs
WITH "ORIENTED" AS (
  SELECT
    "CANDIDATES"."RECORD_A" AS "RECORD_A",
    "CANDIDATES"."RECORD_B" AS "RECORD_B",
    COALESCE(
      (
        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
      )
      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
      FALSE
    ) AS "IS_SWAPPED",
    CASE
      WHEN COALESCE(
        (
          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
        )
        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
        FALSE
      )
      AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
      THEN "A"."SURNAME_KEY"
      ELSE "A"."GIVEN_KEY"
    END AS "GIVEN_ONE",
    CASE
      WHEN COALESCE(
        (
          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
        )
        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
        FALSE
      )
      AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
      THEN "B"."SURNAME_KEY"
      ELSE "B"."GIVEN_KEY"
    END AS "GIVEN_OTHER",
    COALESCE(
      (
        LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
        AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
      ),
      FALSE
    ) AS "ARE_TWO_NAMES",
    COALESCE("A"."GIVEN_FIRST_KEY" = "B"."GIVEN_FIRST_KEY", FALSE) AS "HAVE_FIRST_WORD"
  FROM "MATCHING"."CANDIDATES" AS "CANDIDATES"
  INNER JOIN "MATCHING"."RECORDS" AS "A"
    ON "CANDIDATES"."RECORD_A" = "A"."RECORD_NO"
  INNER JOIN "MATCHING"."RECORDS" AS "B"
    ON "CANDIDATES"."RECORD_B" = "B"."RECORD_NO"
), "COMPARED" AS (
  SELECT
    "ORIENTED"."RECORD_A" AS "RECORD_A",
    "ORIENTED"."RECORD_B" AS "RECORD_B",
    "ORIENTED"."IS_SWAPPED" AS "IS_SWAPPED",
    "ORIENTED"."ARE_TWO_NAMES" AS "ARE_TWO_NAMES",
    CASE
      WHEN "ORIENTED"."GIVEN_ONE" IS NULL OR "ORIENTED"."GIVEN_OTHER" IS NULL
      THEN NULL
      WHEN "ORIENTED"."GIVEN_ONE" = "ORIENTED"."GIVEN_OTHER"
      THEN 'same'
      WHEN (
        STARTSWITH("ORIENTED"."GIVEN_ONE", "ORIENTED"."GIVEN_OTHER")
        OR STARTSWITH("ORIENTED"."GIVEN_OTHER", "ORIENTED"."GIVEN_ONE")
      )
      AND LEAST_IGNORE_NULLS(LENGTH("ORIENTED"."GIVEN_ONE"), LENGTH("ORIENTED"."GIVEN_OTHER")) >= 3
      AND ABS(LENGTH("ORIENTED"."GIVEN_ONE") - LENGTH("ORIENTED"."GIVEN_OTHER")) = 1
      AND NOT "ORIENTED"."ARE_TWO_NAMES"
      THEN 'near'
      WHEN (
        STARTSWITH("ORIENTED"."GIVEN_ONE", "ORIENTED"."GIVEN_OTHER")
        OR STARTSWITH("ORIENTED"."GIVEN_OTHER", "ORIENTED"."GIVEN_ONE")
      )
      OR "ORIENTED"."HAVE_FIRST_WORD"
      THEN 'initial'
      WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY("ORIENTED"."GIVEN_ONE", "ORIENTED"."GIVEN_OTHER") < 0.7
      THEN 'different'
      WHEN (
        LEAST_IGNORE_NULLS(LENGTH("ORIENTED"."GIVEN_ONE"), LENGTH("ORIENTED"."GIVEN_OTHER")) >= 4
        AND (
          "BACKHAUL".JARO_WINKLER_SIMILARITY("ORIENTED"."GIVEN_ONE", "ORIENTED"."GIVEN_OTHER") >= 0.919999999
          OR (
            "BACKHAUL".JARO_WINKLER_SIMILARITY("ORIENTED"."GIVEN_ONE", "ORIENTED"."GIVEN_OTHER") >= 0.7
            AND "BACKHAUL".DAMERAU_LEVENSHTEIN("ORIENTED"."GIVEN_ONE", "ORIENTED"."GIVEN_OTHER") <= CASE
              WHEN LEAST_IGNORE_NULLS(LENGTH("ORIENTED"."GIVEN_ONE"), LENGTH("ORIENTED"."GIVEN_OTHER")) >= 8
              THEN 2
              ELSE 1
            END
          )
        )
      )
      THEN CASE WHEN "ORIENTED"."ARE_TWO_NAMES" THEN 'loose' ELSE 'near' END
      WHEN NOT "ORIENTED"."ARE_TWO_NAMES"
      AND LEAST_IGNORE_NULLS(LENGTH("ORIENTED"."GIVEN_ONE"), LENGTH("ORIENTED"."GIVEN_OTHER")) >= 5
      AND "BACKHAUL".DAMERAU_LEVENSHTEIN("ORIENTED"."GIVEN_ONE", "ORIENTED"."GIVEN_OTHER") <= 2
      THEN 'near'
      WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY("ORIENTED"."GIVEN_ONE", "ORIENTED"."GIVEN_OTHER") >= 0.799999999
      THEN 'loose'
      ELSE 'different'
    END AS "GIVEN_LEVEL",
    CASE
      WHEN "A"."BIRTH_DATE" IS NULL OR "B"."BIRTH_DATE" IS NULL
      THEN NULL
      WHEN "A"."BIRTH_DATE" = "B"."BIRTH_DATE"
      THEN 'same'
      WHEN DATE_PART(YEAR, "A"."BIRTH_DATE") = DATE_PART(YEAR, "B"."BIRTH_DATE")
      AND DATE_PART(MONTH, "A"."BIRTH_DATE") = DATE_PART(DAY, "B"."BIRTH_DATE")
      AND DATE_PART(DAY, "A"."BIRTH_DATE") = DATE_PART(MONTH, "B"."BIRTH_DATE")
      THEN 'near'
      WHEN "BACKHAUL".DAMERAU_LEVENSHTEIN(TO_CHAR("A"."BIRTH_DATE", 'yyyymmDD'), TO_CHAR("B"."BIRTH_DATE", 'yyyymmDD')) = 1
      THEN 'near'
      ELSE 'different'
    END AS "BIRTH_LEVEL",
    CASE
      WHEN "A"."SURNAME_KEY" IS NULL OR "B"."SURNAME_KEY" IS NULL
      THEN NULL
      WHEN "A"."SURNAME_KEY" = "B"."SURNAME_KEY"
      OR COALESCE(
        (
          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
        )
        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
        FALSE
      )
      THEN 'same'
      WHEN (
        STARTSWITH("A"."SURNAME_KEY", "B"."SURNAME_KEY")
        OR STARTSWITH("B"."SURNAME_KEY", "A"."SURNAME_KEY")
      )
      THEN CASE
        WHEN (
          LEAST_IGNORE_NULLS(LENGTH("A"."SURNAME_KEY"), LENGTH("B"."SURNAME_KEY")) >= 4
          AND (
            "BACKHAUL".JARO_WINKLER_SIMILARITY("A"."SURNAME_KEY", "B"."SURNAME_KEY") >= 0.919999999
            OR (
              "BACKHAUL".JARO_WINKLER_SIMILARITY("A"."SURNAME_KEY", "B"."SURNAME_KEY") >= 0.7
              AND "BACKHAUL".DAMERAU_LEVENSHTEIN("A"."SURNAME_KEY", "B"."SURNAME_KEY") <= CASE
                WHEN LEAST_IGNORE_NULLS(LENGTH("A"."SURNAME_KEY"), LENGTH("B"."SURNAME_KEY")) >= 8
                THEN 2
                ELSE 1
              END
            )
          )
        )
        THEN 'near'
        ELSE 'loose'
      END
      WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY("A"."SURNAME_KEY", "B"."SURNAME_KEY") < 0.7
      THEN 'different'
      WHEN (
        LEAST_IGNORE_NULLS(LENGTH("A"."SURNAME_KEY"), LENGTH("B"."SURNAME_KEY")) >= 4
        AND (
          "BACKHAUL".JARO_WINKLER_SIMILARITY("A"."SURNAME_KEY", "B"."SURNAME_KEY") >= 0.919999999
          OR (
            "BACKHAUL".JARO_WINKLER_SIMILARITY("A"."SURNAME_KEY", "B"."SURNAME_KEY") >= 0.7
            AND "BACKHAUL".DAMERAU_LEVENSHTEIN("A"."SURNAME_KEY", "B"."SURNAME_KEY") <= CASE
              WHEN LEAST_IGNORE_NULLS(LENGTH("A"."SURNAME_KEY"), LENGTH("B"."SURNAME_KEY")) >= 8
              THEN 2
              ELSE 1
            END
          )
        )
      )
      THEN 'near'
      WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY("A"."SURNAME_KEY", "B"."SURNAME_KEY") >= 0.849999999
      THEN 'loose'
      ELSE 'different'
    END AS "SURNAME_LEVEL",
    CASE
      WHEN "A"."EMAIL_KEY" IS NULL OR "B"."EMAIL_KEY" IS NULL
      THEN NULL
      WHEN "A"."EMAIL_KEY" = "B"."EMAIL_KEY"
      THEN CASE WHEN "MAILBOXES"."IS_STAND_IN" THEN NULL ELSE 'same' END
      WHEN ABS(LENGTH("A"."EMAIL_KEY") - LENGTH("B"."EMAIL_KEY")) > 1
      THEN 'different'
      WHEN NOT "BACKHAUL".JARO_WINKLER_SIMILARITY("A"."EMAIL_KEY", "B"."EMAIL_KEY") >= 0.899999999
      THEN 'different'
      WHEN "BACKHAUL".DAMERAU_LEVENSHTEIN("A"."EMAIL_KEY", "B"."EMAIL_KEY") = 1
      THEN 'near'
      ELSE 'different'
    END AS "EMAIL_LEVEL",
    COALESCE("A"."EMAIL_KEY" = "B"."EMAIL_KEY" AND "MAILBOXES"."IS_SHARED", FALSE) AS "MAILBOX_IS_SHARED",
    CASE
      WHEN COALESCE("A"."PHONE_KEY", "A"."MOBILE_KEY") IS NULL
      OR COALESCE("B"."PHONE_KEY", "B"."MOBILE_KEY") IS NULL
      THEN NULL
      WHEN COALESCE("A"."PHONE_KEY" = "B"."PHONE_KEY", FALSE)
      OR COALESCE("A"."PHONE_KEY" = "B"."MOBILE_KEY", FALSE)
      OR COALESCE("A"."MOBILE_KEY" = "B"."PHONE_KEY", FALSE)
      OR COALESCE("A"."MOBILE_KEY" = "B"."MOBILE_KEY", FALSE)
      THEN 'same'
      WHEN ABS(LENGTH("A"."PHONE_KEY") - LENGTH("B"."PHONE_KEY")) > 1
      THEN 'different'
      WHEN NOT "BACKHAUL".JARO_WINKLER_SIMILARITY("A"."PHONE_KEY", "B"."PHONE_KEY") >= 0.799999999
      THEN 'different'
      WHEN LENGTH("A"."PHONE_KEY") >= 7
      AND "BACKHAUL".DAMERAU_LEVENSHTEIN("A"."PHONE_KEY", "B"."PHONE_KEY") = 1
      THEN 'near'
      ELSE 'different'
    END AS "PHONE_LEVEL",
    ABS(DATE_PART(YEAR, "A"."BIRTH_DATE") - DATE_PART(YEAR, "B"."BIRTH_DATE")) AS "YEARS_APART",
    COALESCE(
      "A"."ACCOUNT" = "B"."ACCOUNT"
      AND (
        "A"."CONVERTED_TO_ID" = "B"."RECORD_ID"
        OR "B"."CONVERTED_TO_ID" = "A"."RECORD_ID"
      ),
      FALSE
    ) AS "IS_CONVERTED"
  FROM "ORIENTED" AS "ORIENTED"
  INNER JOIN "MATCHING"."RECORDS" AS "A"
    ON "ORIENTED"."RECORD_A" = "A"."RECORD_NO"
  INNER JOIN "MATCHING"."RECORDS" AS "B"
    ON "ORIENTED"."RECORD_B" = "B"."RECORD_NO"
  LEFT JOIN "MATCHING"."MAILBOXES" AS "MAILBOXES"
    ON "A"."EMAIL_KEY" = "MAILBOXES"."EMAIL_KEY"
), "HOPEFUL" AS (
  SELECT
    "COMPARED"."RECORD_A" AS "RECORD_A",
    "COMPARED"."RECORD_B" AS "RECORD_B",
    "COMPARED"."GIVEN_LEVEL" AS "GIVEN_LEVEL",
    "COMPARED"."BIRTH_LEVEL" AS "BIRTH_LEVEL",
    "COMPARED"."SURNAME_LEVEL" AS "SURNAME_LEVEL",
    "COMPARED"."IS_SWAPPED" AS "IS_SWAPPED",
    "COMPARED"."ARE_TWO_NAMES" AS "ARE_TWO_NAMES",
    "COMPARED"."EMAIL_LEVEL" AS "EMAIL_LEVEL",
    "COMPARED"."MAILBOX_IS_SHARED" AS "MAILBOX_IS_SHARED",
    "COMPARED"."PHONE_LEVEL" AS "PHONE_LEVEL",
    "COMPARED"."YEARS_APART" AS "YEARS_APART",
    "COMPARED"."IS_CONVERTED" AS "IS_CONVERTED",
    CASE
      WHEN COALESCE("A"."ROAD_KEY", "A"."STREET_KEY") IS NULL
      OR COALESCE("B"."ROAD_KEY", "B"."STREET_KEY") IS NULL
      THEN NULL
      WHEN "A"."STREET_KEY" = "B"."STREET_KEY"
      OR "A"."ROAD_KEY" = "B"."ROAD_KEY"
      OR (
        ARRAY_SIZE(
          ARRAY_DISTINCT(
            ARRAY_INTERSECTION(
              SPLIT("A"."ROAD_KEY", ' '),
              COALESCE(SPLIT("B"."ROAD_KEY", ' '), ARRAY_CONSTRUCT())
            )
          )
        ) * 1.0 / LEAST_IGNORE_NULLS(
          ARRAY_SIZE(ARRAY_DISTINCT(SPLIT("A"."ROAD_KEY", ' '))),
          ARRAY_SIZE(ARRAY_DISTINCT(SPLIT("B"."ROAD_KEY", ' ')))
        )
      ) >= 0.75
      THEN 'same'
      WHEN (
        ARRAY_SIZE(
          ARRAY_DISTINCT(
            ARRAY_INTERSECTION(
              SPLIT("A"."ROAD_KEY", ' '),
              COALESCE(SPLIT("B"."ROAD_KEY", ' '), ARRAY_CONSTRUCT())
            )
          )
        ) * 1.0 / LEAST_IGNORE_NULLS(
          ARRAY_SIZE(ARRAY_DISTINCT(SPLIT("A"."ROAD_KEY", ' '))),
          ARRAY_SIZE(ARRAY_DISTINCT(SPLIT("B"."ROAD_KEY", ' ')))
        )
      ) >= 0.5
      OR "BACKHAUL".JARO_WINKLER_SIMILARITY("A"."ROAD_KEY", "B"."ROAD_KEY") >= 0.879999999
      THEN 'near'
      ELSE 'different'
    END AS "STREET_LEVEL",
    CASE
      WHEN "A"."HOUSE_KEY" IS NULL OR "B"."HOUSE_KEY" IS NULL
      THEN NULL
      WHEN "A"."HOUSE_KEY" = "B"."HOUSE_KEY"
      THEN 'same'
      WHEN GREATEST_IGNORE_NULLS(LENGTH("A"."HOUSE_KEY"), LENGTH("B"."HOUSE_KEY")) >= 2
      AND "BACKHAUL".DAMERAU_LEVENSHTEIN("A"."HOUSE_KEY", "B"."HOUSE_KEY") = 1
      THEN 'near'
      ELSE 'different'
    END AS "HOUSE_LEVEL",
    CASE
      WHEN "A"."POSTCODE_KEY" = "B"."POSTCODE_KEY" AND "A"."CITY_KEY" = "B"."CITY_KEY"
      THEN 'same'
      WHEN "A"."POSTCODE_KEY" = "B"."POSTCODE_KEY"
      THEN 'postcode'
      WHEN "A"."CITY_KEY" = "B"."CITY_KEY"
      AND (
        "A"."POSTCODE_KEY" IS NULL OR "B"."POSTCODE_KEY" IS NULL
      )
      THEN 'town'
      WHEN "BACKHAUL".DAMERAU_LEVENSHTEIN("A"."POSTCODE_KEY", "B"."POSTCODE_KEY") = 1
      THEN 'near'
      WHEN "A"."CITY_KEY" = "B"."CITY_KEY"
      THEN 'district'
      WHEN (
        "A"."POSTCODE_KEY" IS NULL OR "B"."POSTCODE_KEY" IS NULL
      )
      AND "BACKHAUL".JARO_WINKLER_SIMILARITY("A"."CITY_KEY", "B"."CITY_KEY") >= 0.879999999
      THEN 'near'
      WHEN "A"."POSTCODE_KEY" <> "B"."POSTCODE_KEY" OR "A"."CITY_KEY" <> "B"."CITY_KEY"
      THEN 'different'
    END AS "AREA_LEVEL"
  FROM "COMPARED" AS "COMPARED"
  INNER JOIN "MATCHING"."RECORDS" AS "A"
    ON "COMPARED"."RECORD_A" = "A"."RECORD_NO"
  INNER JOIN "MATCHING"."RECORDS" AS "B"
    ON "COMPARED"."RECORD_B" = "B"."RECORD_NO"
  WHERE
    "COMPARED"."IS_CONVERTED"
    OR COALESCE("COMPARED"."GIVEN_LEVEL", '') IN ('same', 'near', 'initial', 'loose')
    OR "COMPARED"."BIRTH_LEVEL" IN ('same', 'near')
    OR "COMPARED"."EMAIL_LEVEL" = 'same'
), "SCORED" AS (
  SELECT
    "HOPEFUL"."RECORD_A" AS "RECORD_A",
    "HOPEFUL"."RECORD_B" AS "RECORD_B",
    "HOPEFUL"."GIVEN_LEVEL" AS "GIVEN_LEVEL",
    "HOPEFUL"."BIRTH_LEVEL" AS "BIRTH_LEVEL",
    "HOPEFUL"."SURNAME_LEVEL" AS "SURNAME_LEVEL",
    "HOPEFUL"."IS_SWAPPED" AS "IS_SWAPPED",
    "HOPEFUL"."ARE_TWO_NAMES" AS "ARE_TWO_NAMES",
    "HOPEFUL"."EMAIL_LEVEL" AS "EMAIL_LEVEL",
    "HOPEFUL"."MAILBOX_IS_SHARED" AS "MAILBOX_IS_SHARED",
    "HOPEFUL"."PHONE_LEVEL" AS "PHONE_LEVEL",
    "HOPEFUL"."YEARS_APART" AS "YEARS_APART",
    "HOPEFUL"."IS_CONVERTED" AS "IS_CONVERTED",
    "HOPEFUL"."STREET_LEVEL" AS "STREET_LEVEL",
    "HOPEFUL"."HOUSE_LEVEL" AS "HOUSE_LEVEL",
    "HOPEFUL"."AREA_LEVEL" AS "AREA_LEVEL",
    CASE WHEN "HOPEFUL"."IS_SWAPPED" THEN -1 ELSE 0 END + CASE "HOPEFUL"."GIVEN_LEVEL"
      WHEN 'same'
      THEN 5
      WHEN 'near'
      THEN 4
      WHEN 'initial'
      THEN 2
      WHEN 'loose'
      THEN 2
      ELSE 0
    END + CASE "HOPEFUL"."SURNAME_LEVEL"
      WHEN 'same'
      THEN 7
      WHEN 'near'
      THEN 5
      WHEN 'loose'
      THEN 2
      WHEN 'different'
      THEN -4
      ELSE 0
    END + CASE "HOPEFUL"."BIRTH_LEVEL"
      WHEN 'same'
      THEN 10
      WHEN 'near'
      THEN 3
      WHEN 'different'
      THEN -8
      ELSE 0
    END + CASE "HOPEFUL"."STREET_LEVEL"
      WHEN 'same'
      THEN 6
      WHEN 'near'
      THEN 4
      WHEN 'different'
      THEN -2
      ELSE 0
    END + CASE "HOPEFUL"."HOUSE_LEVEL"
      WHEN 'same'
      THEN 2
      WHEN 'near'
      THEN CASE WHEN "HOPEFUL"."BIRTH_LEVEL" = 'same' THEN 0 ELSE -4 END
      WHEN 'different'
      THEN CASE WHEN "HOPEFUL"."BIRTH_LEVEL" = 'same' THEN -1 ELSE -5 END
      ELSE 0
    END + CASE "HOPEFUL"."AREA_LEVEL"
      WHEN 'same'
      THEN 5
      WHEN 'postcode'
      THEN 4
      WHEN 'town'
      THEN 3
      WHEN 'near'
      THEN 2
      WHEN 'district'
      THEN -2
      WHEN 'different'
      THEN -2
      ELSE 0
    END + CASE "HOPEFUL"."PHONE_LEVEL"
      WHEN 'same'
      THEN 10
      WHEN 'near'
      THEN 4
      WHEN 'different'
      THEN -1
      ELSE 0
    END + CASE
      WHEN "HOPEFUL"."MAILBOX_IS_SHARED"
      THEN 0
      ELSE CASE "HOPEFUL"."EMAIL_LEVEL"
        WHEN 'same'
        THEN 10
        WHEN 'near'
        THEN 5
        WHEN 'different'
        THEN -1
        ELSE 0
      END
    END AS "POINTS",
    COALESCE("HOPEFUL"."GIVEN_LEVEL" = 'same' AND "HOPEFUL"."SURNAME_LEVEL" = 'same', FALSE) AS "IS_FULL_NAME",
    COALESCE(
      "HOPEFUL"."STREET_LEVEL" = 'same'
      AND "HOPEFUL"."HOUSE_LEVEL" = 'same'
      AND "HOPEFUL"."AREA_LEVEL" IN ('same', 'postcode', 'town'),
      FALSE
    ) AS "IS_FULL_ADDRESS",
    COALESCE(
      "HOPEFUL"."GIVEN_LEVEL" IN ('same', 'near')
      AND "HOPEFUL"."SURNAME_LEVEL" IS DISTINCT FROM 'different',
      FALSE
    )
    OR COALESCE("HOPEFUL"."BIRTH_LEVEL" IN ('same', 'near'), FALSE)
    OR COALESCE("HOPEFUL"."EMAIL_LEVEL" = 'same' AND NOT "HOPEFUL"."MAILBOX_IS_SHARED", FALSE) AS "HAS_IDENTITY"
  FROM "HOPEFUL" AS "HOPEFUL"
), "JUDGED" AS (
  SELECT
    "SCORED"."RECORD_A" AS "RECORD_A",
    "SCORED"."RECORD_B" AS "RECORD_B",
    "SCORED"."GIVEN_LEVEL" AS "GIVEN_LEVEL",
    "SCORED"."BIRTH_LEVEL" AS "BIRTH_LEVEL",
    "SCORED"."SURNAME_LEVEL" AS "SURNAME_LEVEL",
    "SCORED"."IS_SWAPPED" AS "IS_SWAPPED",
    "SCORED"."ARE_TWO_NAMES" AS "ARE_TWO_NAMES",
    "SCORED"."EMAIL_LEVEL" AS "EMAIL_LEVEL",
    "SCORED"."MAILBOX_IS_SHARED" AS "MAILBOX_IS_SHARED",
    "SCORED"."PHONE_LEVEL" AS "PHONE_LEVEL",
    "SCORED"."YEARS_APART" AS "YEARS_APART",
    "SCORED"."IS_CONVERTED" AS "IS_CONVERTED",
    "SCORED"."STREET_LEVEL" AS "STREET_LEVEL",
    "SCORED"."HOUSE_LEVEL" AS "HOUSE_LEVEL",
    "SCORED"."AREA_LEVEL" AS "AREA_LEVEL",
    "SCORED"."POINTS" AS "POINTS",
    "SCORED"."IS_FULL_NAME" AS "IS_FULL_NAME",
    "SCORED"."IS_FULL_ADDRESS" AS "IS_FULL_ADDRESS",
    "SCORED"."HAS_IDENTITY" AS "HAS_IDENTITY",
    CASE
      WHEN "SCORED"."IS_CONVERTED"
      THEN NULL
      WHEN "SCORED"."GIVEN_LEVEL" = 'different'
      THEN 'given names differ'
      WHEN "SCORED"."GIVEN_LEVEL" = 'loose'
      AND NOT COALESCE("SCORED"."BIRTH_LEVEL", '') IN ('same', 'near')
      THEN 'given names differ'
      WHEN "SCORED"."BIRTH_LEVEL" = 'different'
      AND NOT (
        "SCORED"."IS_FULL_NAME"
        AND "SCORED"."YEARS_APART" < 15
        AND COALESCE(
          "SCORED"."IS_FULL_ADDRESS"
          OR (
            "SCORED"."EMAIL_LEVEL" = 'same' AND "SCORED"."PHONE_LEVEL" = 'same'
          ),
          FALSE
        )
      )
      THEN 'birth dates differ'
      WHEN NOT "SCORED"."HAS_IDENTITY"
      THEN 'nothing personal agrees'
    END AS "REFUSAL"
  FROM "SCORED" AS "SCORED"
)
SELECT
  "A"."RECORD_KEY" AS "RECORD_KEY_A",
  "B"."RECORD_KEY" AS "RECORD_KEY_B",
  "JUDGED"."RECORD_A" AS "RECORD_A",
  "JUDGED"."RECORD_B" AS "RECORD_B",
  "JUDGED"."POINTS" AS "POINTS",
  CASE
    WHEN NOT "JUDGED"."REFUSAL" IS NULL
    THEN NULL
    WHEN "JUDGED"."IS_CONVERTED"
    THEN 'converted'
    WHEN "JUDGED"."EMAIL_LEVEL" = 'same' AND "JUDGED"."IS_FULL_NAME"
    THEN 'email'
    WHEN "JUDGED"."EMAIL_LEVEL" = 'same'
    AND NOT "JUDGED"."MAILBOX_IS_SHARED"
    AND (
      NOT "JUDGED"."GIVEN_LEVEL" IS NULL
      OR COALESCE("JUDGED"."SURNAME_LEVEL", 'same') <> 'different'
    )
    THEN 'email'
    WHEN "JUDGED"."IS_FULL_NAME" AND "JUDGED"."PHONE_LEVEL" = 'same'
    THEN 'name_and_phone'
    WHEN "JUDGED"."IS_FULL_NAME" AND "JUDGED"."BIRTH_LEVEL" = 'same'
    THEN 'name_and_birth_date'
    WHEN "JUDGED"."IS_FULL_NAME" AND "JUDGED"."IS_FULL_ADDRESS"
    THEN 'name_and_address'
    WHEN "JUDGED"."POINTS" >= 18
    THEN 'score'
  END AS "RULE",
  "JUDGED"."REFUSAL" AS "REFUSAL",
  "JUDGED"."REFUSAL" IN ('given names differ', 'birth dates differ')
  AND (
    FALSE
    OR NOT (
      "JUDGED"."REFUSAL" = 'given names differ' AND "JUDGED"."ARE_TWO_NAMES"
    )
  )
  AND "A"."ACCOUNT" <> "B"."ACCOUNT"
  AND COALESCE("JUDGED"."EMAIL_LEVEL", 'same') IN ('same', 'near')
  AND COALESCE("JUDGED"."PHONE_LEVEL", 'same') IN ('same', 'near')
  AND NOT "JUDGED"."MAILBOX_IS_SHARED"
  AND "JUDGED"."STREET_LEVEL" IN ('same', 'near')
  AND "JUDGED"."AREA_LEVEL" IN ('same', 'postcode', 'town', 'near')
  AND (
    (
      "JUDGED"."BIRTH_LEVEL" = 'same' AND "JUDGED"."SURNAME_LEVEL" IN ('same', 'near')
    )
    OR (
      "JUDGED"."BIRTH_LEVEL" = 'different'
      AND "JUDGED"."GIVEN_LEVEL" IN ('same', 'near')
      AND "JUDGED"."SURNAME_LEVEL" IN ('same', 'near')
      AND COALESCE("JUDGED"."HOUSE_LEVEL", 'same') = 'same'
    )
  ) AS "IS_ONLY_OPTION",
  "JUDGED"."GIVEN_LEVEL" AS "GIVEN_LEVEL",
  "JUDGED"."SURNAME_LEVEL" AS "SURNAME_LEVEL",
  "JUDGED"."IS_SWAPPED" AS "IS_SWAPPED",
  "JUDGED"."BIRTH_LEVEL" AS "BIRTH_LEVEL",
  "JUDGED"."EMAIL_LEVEL" AS "EMAIL_LEVEL",
  "JUDGED"."MAILBOX_IS_SHARED" AS "MAILBOX_IS_SHARED",
  "JUDGED"."PHONE_LEVEL" AS "PHONE_LEVEL",
  "JUDGED"."STREET_LEVEL" AS "STREET_LEVEL",
  "JUDGED"."HOUSE_LEVEL" AS "HOUSE_LEVEL",
  "JUDGED"."AREA_LEVEL" AS "AREA_LEVEL"
FROM "JUDGED" AS "JUDGED"
INNER JOIN "MATCHING"."RECORDS" AS "A"
  ON "JUDGED"."RECORD_A" = "A"."RECORD_NO"
INNER JOIN "MATCHING"."RECORDS" AS "B"
  ON "JUDGED"."RECORD_B" = "B"."RECORD_NO";

-- links
WITH "AGREED" AS (
  SELECT
    "PAIRS"."RECORD_A" AS "RECORD_A",
    "PAIRS"."RECORD_B" AS "RECORD_B",
    "PAIRS"."POINTS" AS "POINTS",
    "PAIRS"."RULE" AS "RULE"
  FROM "MATCHING"."PAIRS" AS "PAIRS"
  WHERE
    NOT "PAIRS"."RULE" IS NULL
), "OPTIONS" AS (
  SELECT
    "PAIRS"."RECORD_A" AS "RECORD_A",
    "PAIRS"."RECORD_B" AS "RECORD_B",
    "PAIRS"."POINTS" AS "POINTS"
  FROM "MATCHING"."PAIRS" AS "PAIRS"
  WHERE
    "PAIRS"."IS_ONLY_OPTION" AND TRUE
), "TAKEN" AS (
  SELECT
    "AGREED"."RECORD_A" AS "RECORD_NO"
  FROM "AGREED" AS "AGREED"
  UNION ALL
  SELECT
    "AGREED"."RECORD_B" AS "RECORD_NO"
  FROM "AGREED" AS "AGREED"
  UNION ALL
  SELECT
    "EVERY_OPTION"."RECORD_NO" AS "RECORD_NO"
  FROM (
    SELECT
      "OPTIONS"."RECORD_A" AS "RECORD_NO"
    FROM "OPTIONS" AS "OPTIONS"
    UNION ALL
    SELECT
      "OPTIONS"."RECORD_B" AS "RECORD_NO"
    FROM "OPTIONS" AS "OPTIONS"
  ) AS "EVERY_OPTION"
  GROUP BY
    "EVERY_OPTION"."RECORD_NO"
  HAVING
    COUNT(*) > 1
), "ACCEPTED" AS (
  SELECT
    "AGREED"."RECORD_A" AS "RECORD_A",
    "AGREED"."RECORD_B" AS "RECORD_B",
    "AGREED"."POINTS" AS "POINTS",
    "AGREED"."RULE" AS "RULE"
  FROM "AGREED" AS "AGREED"
  UNION ALL
  SELECT
    "OPTIONS"."RECORD_A" AS "RECORD_A",
    "OPTIONS"."RECORD_B" AS "RECORD_B",
    0 AS "POINTS",
    'by_exclusion' AS "RULE"
  FROM "OPTIONS" AS "OPTIONS"
  WHERE
    NOT "OPTIONS"."RECORD_A" IN (
      SELECT
        "TAKEN"."RECORD_NO" AS "RECORD_NO"
      FROM "TAKEN" AS "TAKEN"
    )
    AND NOT "OPTIONS"."RECORD_B" IN (
      SELECT
        "TAKEN"."RECORD_NO" AS "RECORD_NO"
      FROM "TAKEN" AS "TAKEN"
    )
), "BOTH_WAYS" AS (
  SELECT
    "ACCEPTED"."RECORD_A" AS "A",
    "ACCEPTED"."RECORD_B" AS "B",
    "ACCEPTED"."POINTS" AS "POINTS"
  FROM "ACCEPTED" AS "ACCEPTED"
  UNION ALL
  SELECT
    "ACCEPTED"."RECORD_B" AS "A",
    "ACCEPTED"."RECORD_A" AS "B",
    "ACCEPTED"."POINTS" AS "POINTS"
  FROM "ACCEPTED" AS "ACCEPTED"
), "BETWEEN_TWO" AS (
  SELECT
    "ONE"."A" AS "MIDDLE",
    CASE
      WHEN "ONE"."POINTS" < "OTHER"."POINTS"
      OR (
        "ONE"."POINTS" = "OTHER"."POINTS" AND "ONE"."B" > "OTHER"."B"
      )
      THEN "ONE"."B"
      ELSE "OTHER"."B"
    END AS "WEAKER"
  FROM "BOTH_WAYS" AS "ONE"
  INNER JOIN "BOTH_WAYS" AS "OTHER"
    ON "ONE"."A" = "OTHER"."A" AND "ONE"."B" < "OTHER"."B"
  INNER JOIN "MATCHING"."RECORDS" AS "A"
    ON "ONE"."B" = "A"."RECORD_NO"
  INNER JOIN "MATCHING"."RECORDS" AS "B"
    ON "OTHER"."B" = "B"."RECORD_NO"
  LEFT JOIN "ACCEPTED" AS "ACCEPTED"
    ON "ONE"."B" = "ACCEPTED"."RECORD_A" AND "OTHER"."B" = "ACCEPTED"."RECORD_B"
  WHERE
    "ACCEPTED"."RECORD_A" IS NULL
    AND (
      COALESCE(
        CASE
          WHEN "A"."BIRTH_DATE" IS NULL OR "B"."BIRTH_DATE" IS NULL
          THEN NULL
          WHEN "A"."BIRTH_DATE" = "B"."BIRTH_DATE"
          THEN 'same'
          WHEN DATE_PART(YEAR, "A"."BIRTH_DATE") = DATE_PART(YEAR, "B"."BIRTH_DATE")
          AND DATE_PART(MONTH, "A"."BIRTH_DATE") = DATE_PART(DAY, "B"."BIRTH_DATE")
          AND DATE_PART(DAY, "A"."BIRTH_DATE") = DATE_PART(MONTH, "B"."BIRTH_DATE")
          THEN 'near'
          WHEN "BACKHAUL".DAMERAU_LEVENSHTEIN(TO_CHAR("A"."BIRTH_DATE", 'yyyymmDD'), TO_CHAR("B"."BIRTH_DATE", 'yyyymmDD')) = 1
          THEN 'near'
          ELSE 'different'
        END = 'different',
        FALSE
      )
      OR COALESCE(
        CASE
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          )
          THEN 'same'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            )
          )
          AND LEAST_IGNORE_NULLS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) >= 3
          AND ABS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ) - LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
            AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
          )
          THEN 'near'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            )
          )
          OR "A"."GIVEN_FIRST_KEY" = "B"."GIVEN_FIRST_KEY"
          THEN 'initial'
          WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST_IGNORE_NULLS(
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                    THEN "A"."SURNAME_KEY"
                    ELSE "A"."GIVEN_KEY"
                  END
                )
              ),
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                    THEN "B"."SURNAME_KEY"
                    ELSE "B"."GIVEN_KEY"
                  END
                )
              )
            ) >= 4
            AND (
              "BACKHAUL".JARO_WINKLER_SIMILARITY(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                    THEN "A"."SURNAME_KEY"
                    ELSE "A"."GIVEN_KEY"
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                    THEN "B"."SURNAME_KEY"
                    ELSE "B"."GIVEN_KEY"
                  END
                )
              ) >= 0.919999999
              OR (
                "BACKHAUL".JARO_WINKLER_SIMILARITY(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                      THEN "A"."SURNAME_KEY"
                      ELSE "A"."GIVEN_KEY"
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                      THEN "B"."SURNAME_KEY"
                      ELSE "B"."GIVEN_KEY"
                    END
                  )
                ) >= 0.7
                AND "BACKHAUL".DAMERAU_LEVENSHTEIN(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                      THEN "A"."SURNAME_KEY"
                      ELSE "A"."GIVEN_KEY"
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                      THEN "B"."SURNAME_KEY"
                      ELSE "B"."GIVEN_KEY"
                    END
                  )
                ) <= CASE
                  WHEN LEAST_IGNORE_NULLS(
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                            )
                            AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                            AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                            FALSE
                          )
                          AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                          THEN "A"."SURNAME_KEY"
                          ELSE "A"."GIVEN_KEY"
                        END
                      )
                    ),
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                            )
                            AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                            AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                            FALSE
                          )
                          AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                          THEN "B"."SURNAME_KEY"
                          ELSE "B"."GIVEN_KEY"
                        END
                      )
                    )
                  ) >= 8
                  THEN 2
                  ELSE 1
                END
              )
            )
          )
          THEN CASE
            WHEN (
              LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
              AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
            AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
          )
          AND LEAST_IGNORE_NULLS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) >= 5
          AND "BACKHAUL".DAMERAU_LEVENSHTEIN(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) <= 2
          THEN 'near'
          WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) >= 0.799999999
          THEN 'loose'
          ELSE 'different'
        END = 'different',
        FALSE
      )
      OR COALESCE(
        CASE
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          )
          THEN 'same'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            )
          )
          AND LEAST_IGNORE_NULLS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) >= 3
          AND ABS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ) - LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
            AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
          )
          THEN 'near'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            )
          )
          OR "A"."GIVEN_FIRST_KEY" = "B"."GIVEN_FIRST_KEY"
          THEN 'initial'
          WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST_IGNORE_NULLS(
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                    THEN "A"."SURNAME_KEY"
                    ELSE "A"."GIVEN_KEY"
                  END
                )
              ),
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                    THEN "B"."SURNAME_KEY"
                    ELSE "B"."GIVEN_KEY"
                  END
                )
              )
            ) >= 4
            AND (
              "BACKHAUL".JARO_WINKLER_SIMILARITY(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                    THEN "A"."SURNAME_KEY"
                    ELSE "A"."GIVEN_KEY"
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                    THEN "B"."SURNAME_KEY"
                    ELSE "B"."GIVEN_KEY"
                  END
                )
              ) >= 0.919999999
              OR (
                "BACKHAUL".JARO_WINKLER_SIMILARITY(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                      THEN "A"."SURNAME_KEY"
                      ELSE "A"."GIVEN_KEY"
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                      THEN "B"."SURNAME_KEY"
                      ELSE "B"."GIVEN_KEY"
                    END
                  )
                ) >= 0.7
                AND "BACKHAUL".DAMERAU_LEVENSHTEIN(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                      THEN "A"."SURNAME_KEY"
                      ELSE "A"."GIVEN_KEY"
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                      THEN "B"."SURNAME_KEY"
                      ELSE "B"."GIVEN_KEY"
                    END
                  )
                ) <= CASE
                  WHEN LEAST_IGNORE_NULLS(
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                            )
                            AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                            AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                            FALSE
                          )
                          AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                          THEN "A"."SURNAME_KEY"
                          ELSE "A"."GIVEN_KEY"
                        END
                      )
                    ),
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                            )
                            AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                            AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                            FALSE
                          )
                          AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                          THEN "B"."SURNAME_KEY"
                          ELSE "B"."GIVEN_KEY"
                        END
                      )
                    )
                  ) >= 8
                  THEN 2
                  ELSE 1
                END
              )
            )
          )
          THEN CASE
            WHEN (
              LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
              AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
            AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
          )
          AND LEAST_IGNORE_NULLS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) >= 5
          AND "BACKHAUL".DAMERAU_LEVENSHTEIN(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) <= 2
          THEN 'near'
          WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) >= 0.799999999
          THEN 'loose'
          ELSE 'different'
        END = 'loose'
        AND CASE
          WHEN "A"."BIRTH_DATE" IS NULL OR "B"."BIRTH_DATE" IS NULL
          THEN NULL
          WHEN "A"."BIRTH_DATE" = "B"."BIRTH_DATE"
          THEN 'same'
          WHEN DATE_PART(YEAR, "A"."BIRTH_DATE") = DATE_PART(YEAR, "B"."BIRTH_DATE")
          AND DATE_PART(MONTH, "A"."BIRTH_DATE") = DATE_PART(DAY, "B"."BIRTH_DATE")
          AND DATE_PART(DAY, "A"."BIRTH_DATE") = DATE_PART(MONTH, "B"."BIRTH_DATE")
          THEN 'near'
          WHEN "BACKHAUL".DAMERAU_LEVENSHTEIN(TO_CHAR("A"."BIRTH_DATE", 'yyyymmDD'), TO_CHAR("B"."BIRTH_DATE", 'yyyymmDD')) = 1
          THEN 'near'
          ELSE 'different'
        END IS DISTINCT FROM 'same',
        FALSE
      )
    )
)
SELECT
  "ACCEPTED"."RECORD_A" AS "RECORD_A",
  "ACCEPTED"."RECORD_B" AS "RECORD_B",
  "ACCEPTED"."POINTS" AS "POINTS",
  "ACCEPTED"."RULE" AS "RULE"
FROM "ACCEPTED" AS "ACCEPTED"
LEFT JOIN (
  SELECT DISTINCT
    LEAST_IGNORE_NULLS("BETWEEN_TWO"."MIDDLE", "BETWEEN_TWO"."WEAKER") AS "RECORD_A",
    GREATEST_IGNORE_NULLS("BETWEEN_TWO"."MIDDLE", "BETWEEN_TWO"."WEAKER") AS "RECORD_B"
  FROM "BETWEEN_TWO" AS "BETWEEN_TWO"
) AS "DROPPED"
  ON "ACCEPTED"."RECORD_A" = "DROPPED"."RECORD_A"
  AND "ACCEPTED"."RECORD_B" = "DROPPED"."RECORD_B"
WHERE
  "DROPPED"."RECORD_A" IS NULL;

-- groups
WITH RECURSIVE "BOTH_WAYS" AS (
  SELECT
    "LINKS"."RECORD_A" AS "A",
    "LINKS"."RECORD_B" AS "B"
  FROM "MATCHING"."LINKS" AS "LINKS"
  UNION ALL
  SELECT
    "LINKS"."RECORD_B" AS "A",
    "LINKS"."RECORD_A" AS "B"
  FROM "MATCHING"."LINKS" AS "LINKS"
), "LABELLED" AS (
  SELECT
    "BOTH_WAYS"."A" AS "A",
    "BOTH_WAYS"."B" AS "B",
    "BOTH_WAYS"."A" AS "V"
  FROM "BOTH_WAYS" AS "BOTH_WAYS"
), "REACHED" AS (
  SELECT DISTINCT
    "LABELS"."A" AS "NODE",
    "LABELS"."V" AS "LABEL"
  FROM (
    SELECT
      "PAIRED"."A" AS "A",
      "PAIRED"."B" AS "B",
      MIN(
        CASE
          WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
          THEN "PAIRED"."M" + 0
          ELSE "PAIRED"."V"
        END
      ) OVER (PARTITION BY "PAIRED"."A") AS "V"
    FROM (
      SELECT
        "KNOWN"."A" AS "A",
        "KNOWN"."B" AS "B",
        "KNOWN"."V" AS "V",
        MIN("KNOWN"."V") OVER (
          PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
        ) AS "M"
      FROM (
        SELECT
          "PAIRED"."A" AS "A",
          "PAIRED"."B" AS "B",
          MIN(
            CASE
              WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
              THEN "PAIRED"."M" + 0
              ELSE "PAIRED"."V"
            END
          ) OVER (PARTITION BY "PAIRED"."A") AS "V"
        FROM (
          SELECT
            "KNOWN"."A" AS "A",
            "KNOWN"."B" AS "B",
            "KNOWN"."V" AS "V",
            MIN("KNOWN"."V") OVER (
              PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
            ) AS "M"
          FROM (
            SELECT
              "PAIRED"."A" AS "A",
              "PAIRED"."B" AS "B",
              MIN(
                CASE
                  WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                  THEN "PAIRED"."M" + 0
                  ELSE "PAIRED"."V"
                END
              ) OVER (PARTITION BY "PAIRED"."A") AS "V"
            FROM (
              SELECT
                "KNOWN"."A" AS "A",
                "KNOWN"."B" AS "B",
                "KNOWN"."V" AS "V",
                MIN("KNOWN"."V") OVER (
                  PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                ) AS "M"
              FROM (
                SELECT
                  "PAIRED"."A" AS "A",
                  "PAIRED"."B" AS "B",
                  MIN(
                    CASE
                      WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                      THEN "PAIRED"."M" + 0
                      ELSE "PAIRED"."V"
                    END
                  ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                FROM (
                  SELECT
                    "KNOWN"."A" AS "A",
                    "KNOWN"."B" AS "B",
                    "KNOWN"."V" AS "V",
                    MIN("KNOWN"."V") OVER (
                      PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                    ) AS "M"
                  FROM (
                    SELECT
                      "PAIRED"."A" AS "A",
                      "PAIRED"."B" AS "B",
                      MIN(
                        CASE
                          WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                          THEN "PAIRED"."M" + 0
                          ELSE "PAIRED"."V"
                        END
                      ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                    FROM (
                      SELECT
                        "KNOWN"."A" AS "A",
                        "KNOWN"."B" AS "B",
                        "KNOWN"."V" AS "V",
                        MIN("KNOWN"."V") OVER (
                          PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                        ) AS "M"
                      FROM (
                        SELECT
                          "PAIRED"."A" AS "A",
                          "PAIRED"."B" AS "B",
                          MIN(
                            CASE
                              WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                              THEN "PAIRED"."M" + 0
                              ELSE "PAIRED"."V"
                            END
                          ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                        FROM (
                          SELECT
                            "KNOWN"."A" AS "A",
                            "KNOWN"."B" AS "B",
                            "KNOWN"."V" AS "V",
                            MIN("KNOWN"."V") OVER (
                              PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                            ) AS "M"
                          FROM (
                            SELECT
                              "PAIRED"."A" AS "A",
                              "PAIRED"."B" AS "B",
                              MIN(
                                CASE
                                  WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                                  THEN "PAIRED"."M" + 0
                                  ELSE "PAIRED"."V"
                                END
                              ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                            FROM (
                              SELECT
                                "KNOWN"."A" AS "A",
                                "KNOWN"."B" AS "B",
                                "KNOWN"."V" AS "V",
                                MIN("KNOWN"."V") OVER (
                                  PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                ) AS "M"
                              FROM (
                                SELECT
                                  "PAIRED"."A" AS "A",
                                  "PAIRED"."B" AS "B",
                                  MIN(
                                    CASE
                                      WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                                      THEN "PAIRED"."M" + 0
                                      ELSE "PAIRED"."V"
                                    END
                                  ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                                FROM (
                                  SELECT
                                    "KNOWN"."A" AS "A",
                                    "KNOWN"."B" AS "B",
                                    "KNOWN"."V" AS "V",
                                    MIN("KNOWN"."V") OVER (
                                      PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                    ) AS "M"
                                  FROM (
                                    SELECT
                                      "PAIRED"."A" AS "A",
                                      "PAIRED"."B" AS "B",
                                      MIN(
                                        CASE
                                          WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                                          THEN "PAIRED"."M" + 0
                                          ELSE "PAIRED"."V"
                                        END
                                      ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                                    FROM (
                                      SELECT
                                        "KNOWN"."A" AS "A",
                                        "KNOWN"."B" AS "B",
                                        "KNOWN"."V" AS "V",
                                        MIN("KNOWN"."V") OVER (
                                          PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                        ) AS "M"
                                      FROM (
                                        SELECT
                                          "PAIRED"."A" AS "A",
                                          "PAIRED"."B" AS "B",
                                          MIN(
                                            CASE
                                              WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                                              THEN "PAIRED"."M" + 0
                                              ELSE "PAIRED"."V"
                                            END
                                          ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                                        FROM (
                                          SELECT
                                            "KNOWN"."A" AS "A",
                                            "KNOWN"."B" AS "B",
                                            "KNOWN"."V" AS "V",
                                            MIN("KNOWN"."V") OVER (
                                              PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                            ) AS "M"
                                          FROM (
                                            SELECT
                                              "PAIRED"."A" AS "A",
                                              "PAIRED"."B" AS "B",
                                              MIN(
                                                CASE
                                                  WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                                                  THEN "PAIRED"."M" + 0
                                                  ELSE "PAIRED"."V"
                                                END
                                              ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                                            FROM (
                                              SELECT
                                                "KNOWN"."A" AS "A",
                                                "KNOWN"."B" AS "B",
                                                "KNOWN"."V" AS "V",
                                                MIN("KNOWN"."V") OVER (
                                                  PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                                ) AS "M"
                                              FROM (
                                                SELECT
                                                  "PAIRED"."A" AS "A",
                                                  "PAIRED"."B" AS "B",
                                                  MIN(
                                                    CASE
                                                      WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                                                      THEN "PAIRED"."M" + 0
                                                      ELSE "PAIRED"."V"
                                                    END
                                                  ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                                                FROM (
                                                  SELECT
                                                    "KNOWN"."A" AS "A",
                                                    "KNOWN"."B" AS "B",
                                                    "KNOWN"."V" AS "V",
                                                    MIN("KNOWN"."V") OVER (
                                                      PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                                    ) AS "M"
                                                  FROM (
                                                    SELECT
                                                      "LABELLED"."A" AS "A",
                                                      "LABELLED"."B" AS "B",
                                                      "LABELLED"."V" AS "V"
                                                    FROM "LABELLED" AS "LABELLED"
                                                  ) AS "KNOWN"
                                                ) AS "PAIRED"
                                              ) AS "KNOWN"
                                            ) AS "PAIRED"
                                          ) AS "KNOWN"
                                        ) AS "PAIRED"
                                      ) AS "KNOWN"
                                    ) AS "PAIRED"
                                  ) AS "KNOWN"
                                ) AS "PAIRED"
                              ) AS "KNOWN"
                            ) AS "PAIRED"
                          ) AS "KNOWN"
                        ) AS "PAIRED"
                      ) AS "KNOWN"
                    ) AS "PAIRED"
                  ) AS "KNOWN"
                ) AS "PAIRED"
              ) AS "KNOWN"
            ) AS "PAIRED"
          ) AS "KNOWN"
        ) AS "PAIRED"
      ) AS "KNOWN"
    ) AS "PAIRED"
  ) AS "LABELS"
), "MEMBERS" AS (
  SELECT
    "REACHED"."NODE" AS "RECORD_NO",
    MIN("REACHED"."LABEL") AS "GROUP_NO"
  FROM "REACHED" AS "REACHED"
  GROUP BY
    "REACHED"."NODE"
), "SIZES" AS (
  SELECT
    "MEMBERS"."GROUP_NO" AS "GROUP_NO",
    COUNT(*) AS "RECORDS"
  FROM "MEMBERS" AS "MEMBERS"
  GROUP BY
    "MEMBERS"."GROUP_NO"
), "CONTRADICTING" AS (
  SELECT DISTINCT
    "ONE"."GROUP_NO" AS "GROUP_NO"
  FROM "MEMBERS" AS "ONE"
  INNER JOIN "MEMBERS" AS "OTHER"
    ON "ONE"."GROUP_NO" = "OTHER"."GROUP_NO" AND "ONE"."RECORD_NO" < "OTHER"."RECORD_NO"
  INNER JOIN "SIZES" AS "SIZES"
    ON "ONE"."GROUP_NO" = "SIZES"."GROUP_NO"
  INNER JOIN "MATCHING"."RECORDS" AS "A"
    ON "ONE"."RECORD_NO" = "A"."RECORD_NO"
  INNER JOIN "MATCHING"."RECORDS" AS "B"
    ON "OTHER"."RECORD_NO" = "B"."RECORD_NO"
  LEFT JOIN "MATCHING"."LINKS" AS "LINKS"
    ON "ONE"."RECORD_NO" = "LINKS"."RECORD_A"
    AND "OTHER"."RECORD_NO" = "LINKS"."RECORD_B"
  WHERE
    "SIZES"."RECORDS" > 2
    AND "SIZES"."RECORDS" <= 60
    AND "LINKS"."RECORD_A" IS NULL
    AND (
      COALESCE(
        CASE
          WHEN "A"."BIRTH_DATE" IS NULL OR "B"."BIRTH_DATE" IS NULL
          THEN NULL
          WHEN "A"."BIRTH_DATE" = "B"."BIRTH_DATE"
          THEN 'same'
          WHEN DATE_PART(YEAR, "A"."BIRTH_DATE") = DATE_PART(YEAR, "B"."BIRTH_DATE")
          AND DATE_PART(MONTH, "A"."BIRTH_DATE") = DATE_PART(DAY, "B"."BIRTH_DATE")
          AND DATE_PART(DAY, "A"."BIRTH_DATE") = DATE_PART(MONTH, "B"."BIRTH_DATE")
          THEN 'near'
          WHEN "BACKHAUL".DAMERAU_LEVENSHTEIN(TO_CHAR("A"."BIRTH_DATE", 'yyyymmDD'), TO_CHAR("B"."BIRTH_DATE", 'yyyymmDD')) = 1
          THEN 'near'
          ELSE 'different'
        END = 'different',
        FALSE
      )
      OR COALESCE(
        CASE
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          )
          THEN 'same'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            )
          )
          AND LEAST_IGNORE_NULLS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) >= 3
          AND ABS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ) - LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
            AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
          )
          THEN 'near'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            )
          )
          OR "A"."GIVEN_FIRST_KEY" = "B"."GIVEN_FIRST_KEY"
          THEN 'initial'
          WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST_IGNORE_NULLS(
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                    THEN "A"."SURNAME_KEY"
                    ELSE "A"."GIVEN_KEY"
                  END
                )
              ),
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                    THEN "B"."SURNAME_KEY"
                    ELSE "B"."GIVEN_KEY"
                  END
                )
              )
            ) >= 4
            AND (
              "BACKHAUL".JARO_WINKLER_SIMILARITY(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                    THEN "A"."SURNAME_KEY"
                    ELSE "A"."GIVEN_KEY"
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                    THEN "B"."SURNAME_KEY"
                    ELSE "B"."GIVEN_KEY"
                  END
                )
              ) >= 0.919999999
              OR (
                "BACKHAUL".JARO_WINKLER_SIMILARITY(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                      THEN "A"."SURNAME_KEY"
                      ELSE "A"."GIVEN_KEY"
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                      THEN "B"."SURNAME_KEY"
                      ELSE "B"."GIVEN_KEY"
                    END
                  )
                ) >= 0.7
                AND "BACKHAUL".DAMERAU_LEVENSHTEIN(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                      THEN "A"."SURNAME_KEY"
                      ELSE "A"."GIVEN_KEY"
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                      THEN "B"."SURNAME_KEY"
                      ELSE "B"."GIVEN_KEY"
                    END
                  )
                ) <= CASE
                  WHEN LEAST_IGNORE_NULLS(
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                            )
                            AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                            AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                            FALSE
                          )
                          AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                          THEN "A"."SURNAME_KEY"
                          ELSE "A"."GIVEN_KEY"
                        END
                      )
                    ),
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                            )
                            AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                            AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                            FALSE
                          )
                          AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                          THEN "B"."SURNAME_KEY"
                          ELSE "B"."GIVEN_KEY"
                        END
                      )
                    )
                  ) >= 8
                  THEN 2
                  ELSE 1
                END
              )
            )
          )
          THEN CASE
            WHEN (
              LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
              AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
            AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
          )
          AND LEAST_IGNORE_NULLS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) >= 5
          AND "BACKHAUL".DAMERAU_LEVENSHTEIN(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) <= 2
          THEN 'near'
          WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) >= 0.799999999
          THEN 'loose'
          ELSE 'different'
        END = 'different',
        FALSE
      )
      OR COALESCE(
        CASE
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
              THEN "A"."SURNAME_KEY"
              ELSE "A"."GIVEN_KEY"
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                )
                AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                FALSE
              )
              AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
              THEN "B"."SURNAME_KEY"
              ELSE "B"."GIVEN_KEY"
            END
          )
          THEN 'same'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            )
          )
          AND LEAST_IGNORE_NULLS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) >= 3
          AND ABS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ) - LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
            AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
          )
          THEN 'near'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            )
          )
          OR "A"."GIVEN_FIRST_KEY" = "B"."GIVEN_FIRST_KEY"
          THEN 'initial'
          WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST_IGNORE_NULLS(
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                    THEN "A"."SURNAME_KEY"
                    ELSE "A"."GIVEN_KEY"
                  END
                )
              ),
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                    THEN "B"."SURNAME_KEY"
                    ELSE "B"."GIVEN_KEY"
                  END
                )
              )
            ) >= 4
            AND (
              "BACKHAUL".JARO_WINKLER_SIMILARITY(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                    THEN "A"."SURNAME_KEY"
                    ELSE "A"."GIVEN_KEY"
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                      )
                      AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                      AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                      FALSE
                    )
                    AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                    THEN "B"."SURNAME_KEY"
                    ELSE "B"."GIVEN_KEY"
                  END
                )
              ) >= 0.919999999
              OR (
                "BACKHAUL".JARO_WINKLER_SIMILARITY(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                      THEN "A"."SURNAME_KEY"
                      ELSE "A"."GIVEN_KEY"
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                      THEN "B"."SURNAME_KEY"
                      ELSE "B"."GIVEN_KEY"
                    END
                  )
                ) >= 0.7
                AND "BACKHAUL".DAMERAU_LEVENSHTEIN(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                      THEN "A"."SURNAME_KEY"
                      ELSE "A"."GIVEN_KEY"
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                        )
                        AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                        AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                        FALSE
                      )
                      AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                      THEN "B"."SURNAME_KEY"
                      ELSE "B"."GIVEN_KEY"
                    END
                  )
                ) <= CASE
                  WHEN LEAST_IGNORE_NULLS(
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                            )
                            AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                            AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                            FALSE
                          )
                          AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                          THEN "A"."SURNAME_KEY"
                          ELSE "A"."GIVEN_KEY"
                        END
                      )
                    ),
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                            )
                            AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                            AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                            FALSE
                          )
                          AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                          THEN "B"."SURNAME_KEY"
                          ELSE "B"."GIVEN_KEY"
                        END
                      )
                    )
                  ) >= 8
                  THEN 2
                  ELSE 1
                END
              )
            )
          )
          THEN CASE
            WHEN (
              LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
              AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") >= 3
            AND GREATEST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES") <= 20 * LEAST_IGNORE_NULLS("A"."GIVEN_SURNAMES", "B"."GIVEN_SURNAMES")
          )
          AND LEAST_IGNORE_NULLS(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                  THEN "A"."SURNAME_KEY"
                  ELSE "A"."GIVEN_KEY"
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                    )
                    AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                    AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                    FALSE
                  )
                  AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                  THEN "B"."SURNAME_KEY"
                  ELSE "B"."GIVEN_KEY"
                END
              )
            )
          ) >= 5
          AND "BACKHAUL".DAMERAU_LEVENSHTEIN(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) <= 2
          THEN 'near'
          WHEN "BACKHAUL".JARO_WINKLER_SIMILARITY(
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" = "B"."SURNAME_KEY"
                THEN "A"."SURNAME_KEY"
                ELSE "A"."GIVEN_KEY"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "A"."GIVEN_KEY" = "B"."SURNAME_KEY" OR "A"."SURNAME_KEY" = "B"."GIVEN_KEY"
                  )
                  AND "A"."GIVEN_KEY" <> "B"."GIVEN_KEY"
                  AND "A"."SURNAME_KEY" <> "B"."SURNAME_KEY",
                  FALSE
                )
                AND "A"."GIVEN_KEY" <> "B"."SURNAME_KEY"
                THEN "B"."SURNAME_KEY"
                ELSE "B"."GIVEN_KEY"
              END
            )
          ) >= 0.799999999
          THEN 'loose'
          ELSE 'different'
        END = 'loose'
        AND CASE
          WHEN "A"."BIRTH_DATE" IS NULL OR "B"."BIRTH_DATE" IS NULL
          THEN NULL
          WHEN "A"."BIRTH_DATE" = "B"."BIRTH_DATE"
          THEN 'same'
          WHEN DATE_PART(YEAR, "A"."BIRTH_DATE") = DATE_PART(YEAR, "B"."BIRTH_DATE")
          AND DATE_PART(MONTH, "A"."BIRTH_DATE") = DATE_PART(DAY, "B"."BIRTH_DATE")
          AND DATE_PART(DAY, "A"."BIRTH_DATE") = DATE_PART(MONTH, "B"."BIRTH_DATE")
          THEN 'near'
          WHEN "BACKHAUL".DAMERAU_LEVENSHTEIN(TO_CHAR("A"."BIRTH_DATE", 'yyyymmDD'), TO_CHAR("B"."BIRTH_DATE", 'yyyymmDD')) = 1
          THEN 'near'
          ELSE 'different'
        END IS DISTINCT FROM 'same',
        FALSE
      )
    )
  UNION
  SELECT
    "ONE"."GROUP_NO" AS "GROUP_NO"
  FROM "BOTH_WAYS" AS "BOTH_WAYS"
  INNER JOIN "MEMBERS" AS "ONE"
    ON "BOTH_WAYS"."A" = "ONE"."RECORD_NO"
  INNER JOIN "MEMBERS" AS "OTHER"
    ON "BOTH_WAYS"."B" = "OTHER"."RECORD_NO"
  WHERE
    "ONE"."GROUP_NO" <> "OTHER"."GROUP_NO"
)
SELECT
  "MEMBERS"."RECORD_NO" AS "RECORD_NO",
  "MEMBERS"."GROUP_NO" AS "GROUP_NO",
  "SIZES"."RECORDS" AS "RECORDS",
  NOT "CONTRADICTING"."GROUP_NO" IS NULL OR "SIZES"."RECORDS" > 60 AS "IS_CONTESTED"
FROM "MEMBERS" AS "MEMBERS"
INNER JOIN "SIZES" AS "SIZES"
  ON "MEMBERS"."GROUP_NO" = "SIZES"."GROUP_NO"
LEFT JOIN "CONTRADICTING" AS "CONTRADICTING"
  ON "MEMBERS"."GROUP_NO" = "CONTRADICTING"."GROUP_NO";

-- clusters
WITH RECURSIVE "KEPT" AS (
  SELECT
    "LINKS"."RECORD_A" AS "RECORD_A",
    "LINKS"."RECORD_B" AS "RECORD_B"
  FROM "MATCHING"."LINKS" AS "LINKS"
  INNER JOIN "MATCHING"."GROUPS" AS "JOINED"
    ON "LINKS"."RECORD_A" = "JOINED"."RECORD_NO"
  INNER JOIN "MATCHING"."RECORDS" AS "A"
    ON "LINKS"."RECORD_A" = "A"."RECORD_NO"
  INNER JOIN "MATCHING"."RECORDS" AS "B"
    ON "LINKS"."RECORD_B" = "B"."RECORD_NO"
  WHERE
    NOT "JOINED"."IS_CONTESTED"
    OR (
      "A"."GIVEN_KEY" = "B"."GIVEN_KEY"
      AND "A"."SURNAME_KEY" = "B"."SURNAME_KEY"
      AND "A"."BIRTH_DATE" IS NOT DISTINCT FROM "B"."BIRTH_DATE"
    )
), "BOTH_WAYS" AS (
  SELECT
    "KEPT"."RECORD_A" AS "A",
    "KEPT"."RECORD_B" AS "B"
  FROM "KEPT" AS "KEPT"
  UNION ALL
  SELECT
    "KEPT"."RECORD_B" AS "A",
    "KEPT"."RECORD_A" AS "B"
  FROM "KEPT" AS "KEPT"
), "LABELLED" AS (
  SELECT
    "BOTH_WAYS"."A" AS "A",
    "BOTH_WAYS"."B" AS "B",
    "BOTH_WAYS"."A" AS "V"
  FROM "BOTH_WAYS" AS "BOTH_WAYS"
), "REACHED" AS (
  SELECT DISTINCT
    "LABELS"."A" AS "NODE",
    "LABELS"."V" AS "LABEL"
  FROM (
    SELECT
      "PAIRED"."A" AS "A",
      "PAIRED"."B" AS "B",
      MIN(
        CASE
          WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
          THEN "PAIRED"."M" + 0
          ELSE "PAIRED"."V"
        END
      ) OVER (PARTITION BY "PAIRED"."A") AS "V"
    FROM (
      SELECT
        "KNOWN"."A" AS "A",
        "KNOWN"."B" AS "B",
        "KNOWN"."V" AS "V",
        MIN("KNOWN"."V") OVER (
          PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
        ) AS "M"
      FROM (
        SELECT
          "PAIRED"."A" AS "A",
          "PAIRED"."B" AS "B",
          MIN(
            CASE
              WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
              THEN "PAIRED"."M" + 0
              ELSE "PAIRED"."V"
            END
          ) OVER (PARTITION BY "PAIRED"."A") AS "V"
        FROM (
          SELECT
            "KNOWN"."A" AS "A",
            "KNOWN"."B" AS "B",
            "KNOWN"."V" AS "V",
            MIN("KNOWN"."V") OVER (
              PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
            ) AS "M"
          FROM (
            SELECT
              "PAIRED"."A" AS "A",
              "PAIRED"."B" AS "B",
              MIN(
                CASE
                  WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                  THEN "PAIRED"."M" + 0
                  ELSE "PAIRED"."V"
                END
              ) OVER (PARTITION BY "PAIRED"."A") AS "V"
            FROM (
              SELECT
                "KNOWN"."A" AS "A",
                "KNOWN"."B" AS "B",
                "KNOWN"."V" AS "V",
                MIN("KNOWN"."V") OVER (
                  PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                ) AS "M"
              FROM (
                SELECT
                  "PAIRED"."A" AS "A",
                  "PAIRED"."B" AS "B",
                  MIN(
                    CASE
                      WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                      THEN "PAIRED"."M" + 0
                      ELSE "PAIRED"."V"
                    END
                  ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                FROM (
                  SELECT
                    "KNOWN"."A" AS "A",
                    "KNOWN"."B" AS "B",
                    "KNOWN"."V" AS "V",
                    MIN("KNOWN"."V") OVER (
                      PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                    ) AS "M"
                  FROM (
                    SELECT
                      "PAIRED"."A" AS "A",
                      "PAIRED"."B" AS "B",
                      MIN(
                        CASE
                          WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                          THEN "PAIRED"."M" + 0
                          ELSE "PAIRED"."V"
                        END
                      ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                    FROM (
                      SELECT
                        "KNOWN"."A" AS "A",
                        "KNOWN"."B" AS "B",
                        "KNOWN"."V" AS "V",
                        MIN("KNOWN"."V") OVER (
                          PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                        ) AS "M"
                      FROM (
                        SELECT
                          "PAIRED"."A" AS "A",
                          "PAIRED"."B" AS "B",
                          MIN(
                            CASE
                              WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                              THEN "PAIRED"."M" + 0
                              ELSE "PAIRED"."V"
                            END
                          ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                        FROM (
                          SELECT
                            "KNOWN"."A" AS "A",
                            "KNOWN"."B" AS "B",
                            "KNOWN"."V" AS "V",
                            MIN("KNOWN"."V") OVER (
                              PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                            ) AS "M"
                          FROM (
                            SELECT
                              "PAIRED"."A" AS "A",
                              "PAIRED"."B" AS "B",
                              MIN(
                                CASE
                                  WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                                  THEN "PAIRED"."M" + 0
                                  ELSE "PAIRED"."V"
                                END
                              ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                            FROM (
                              SELECT
                                "KNOWN"."A" AS "A",
                                "KNOWN"."B" AS "B",
                                "KNOWN"."V" AS "V",
                                MIN("KNOWN"."V") OVER (
                                  PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                ) AS "M"
                              FROM (
                                SELECT
                                  "PAIRED"."A" AS "A",
                                  "PAIRED"."B" AS "B",
                                  MIN(
                                    CASE
                                      WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                                      THEN "PAIRED"."M" + 0
                                      ELSE "PAIRED"."V"
                                    END
                                  ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                                FROM (
                                  SELECT
                                    "KNOWN"."A" AS "A",
                                    "KNOWN"."B" AS "B",
                                    "KNOWN"."V" AS "V",
                                    MIN("KNOWN"."V") OVER (
                                      PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                    ) AS "M"
                                  FROM (
                                    SELECT
                                      "PAIRED"."A" AS "A",
                                      "PAIRED"."B" AS "B",
                                      MIN(
                                        CASE
                                          WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                                          THEN "PAIRED"."M" + 0
                                          ELSE "PAIRED"."V"
                                        END
                                      ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                                    FROM (
                                      SELECT
                                        "KNOWN"."A" AS "A",
                                        "KNOWN"."B" AS "B",
                                        "KNOWN"."V" AS "V",
                                        MIN("KNOWN"."V") OVER (
                                          PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                        ) AS "M"
                                      FROM (
                                        SELECT
                                          "PAIRED"."A" AS "A",
                                          "PAIRED"."B" AS "B",
                                          MIN(
                                            CASE
                                              WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                                              THEN "PAIRED"."M" + 0
                                              ELSE "PAIRED"."V"
                                            END
                                          ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                                        FROM (
                                          SELECT
                                            "KNOWN"."A" AS "A",
                                            "KNOWN"."B" AS "B",
                                            "KNOWN"."V" AS "V",
                                            MIN("KNOWN"."V") OVER (
                                              PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                            ) AS "M"
                                          FROM (
                                            SELECT
                                              "PAIRED"."A" AS "A",
                                              "PAIRED"."B" AS "B",
                                              MIN(
                                                CASE
                                                  WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                                                  THEN "PAIRED"."M" + 0
                                                  ELSE "PAIRED"."V"
                                                END
                                              ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                                            FROM (
                                              SELECT
                                                "KNOWN"."A" AS "A",
                                                "KNOWN"."B" AS "B",
                                                "KNOWN"."V" AS "V",
                                                MIN("KNOWN"."V") OVER (
                                                  PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                                ) AS "M"
                                              FROM (
                                                SELECT
                                                  "PAIRED"."A" AS "A",
                                                  "PAIRED"."B" AS "B",
                                                  MIN(
                                                    CASE
                                                      WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 0 < "PAIRED"."V"
                                                      THEN "PAIRED"."M" + 0
                                                      ELSE "PAIRED"."V"
                                                    END
                                                  ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                                                FROM (
                                                  SELECT
                                                    "KNOWN"."A" AS "A",
                                                    "KNOWN"."B" AS "B",
                                                    "KNOWN"."V" AS "V",
                                                    MIN("KNOWN"."V") OVER (
                                                      PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                                    ) AS "M"
                                                  FROM (
                                                    SELECT
                                                      "LABELLED"."A" AS "A",
                                                      "LABELLED"."B" AS "B",
                                                      "LABELLED"."V" AS "V"
                                                    FROM "LABELLED" AS "LABELLED"
                                                  ) AS "KNOWN"
                                                ) AS "PAIRED"
                                              ) AS "KNOWN"
                                            ) AS "PAIRED"
                                          ) AS "KNOWN"
                                        ) AS "PAIRED"
                                      ) AS "KNOWN"
                                    ) AS "PAIRED"
                                  ) AS "KNOWN"
                                ) AS "PAIRED"
                              ) AS "KNOWN"
                            ) AS "PAIRED"
                          ) AS "KNOWN"
                        ) AS "PAIRED"
                      ) AS "KNOWN"
                    ) AS "PAIRED"
                  ) AS "KNOWN"
                ) AS "PAIRED"
              ) AS "KNOWN"
            ) AS "PAIRED"
          ) AS "KNOWN"
        ) AS "PAIRED"
      ) AS "KNOWN"
    ) AS "PAIRED"
  ) AS "LABELS"
), "MEMBERS" AS (
  SELECT
    "REACHED"."NODE" AS "RECORD_NO",
    MIN("REACHED"."LABEL") AS "CLUSTER_NO"
  FROM "REACHED" AS "REACHED"
  GROUP BY
    "REACHED"."NODE"
)
SELECT
  "RECORDS"."RECORD_NO" AS "RECORD_NO",
  "RECORDS"."RECORD_KEY" AS "RECORD_KEY",
  COALESCE("MEMBERS"."CLUSTER_NO", "RECORDS"."RECORD_NO") AS "CLUSTER_NO"
FROM "MATCHING"."RECORDS" AS "RECORDS"
LEFT JOIN "MEMBERS" AS "MEMBERS"
  ON "RECORDS"."RECORD_NO" = "MEMBERS"."RECORD_NO";

-- recipient_ids
WITH "CURRENT_RECORDS" AS (
  SELECT
    "CLUSTERS"."RECORD_KEY" AS "RECORD_KEY",
    "CLUSTERS"."CLUSTER_NO" AS "CLUSTER_NO",
    "RECORDS"."CREATED_AT" AS "CREATED_AT",
    "RECORDS"."FIRST_SEEN_AT" AS "FIRST_SEEN_AT",
    "RECORDS"."SEEN_AT" AS "SEEN_AT"
  FROM "MATCHING"."CLUSTERS" AS "CLUSTERS"
  INNER JOIN "MATCHING"."RECORDS" AS "RECORDS"
    ON "CLUSTERS"."RECORD_NO" = "RECORDS"."RECORD_NO"
), "REMEMBERED" AS (
  SELECT
    CAST(NULL AS VARCHAR) AS "RECORD_KEY",
    CAST(NULL AS VARCHAR) AS "RECIPIENT_ID",
    CAST(NULL AS VARCHAR) AS "ANCHOR_KEY",
    CAST(NULL AS TIMESTAMPTZ) AS "KNOWN_SINCE"
  WHERE
    FALSE
), "VOTES" AS (
  SELECT
    "CURRENT_RECORDS"."CLUSTER_NO" AS "CLUSTER_NO",
    "REMEMBERED"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "REMEMBERED"."ANCHOR_KEY" AS "ANCHOR_KEY",
    "REMEMBERED"."KNOWN_SINCE" AS "KNOWN_SINCE",
    "REMEMBERED"."RECORD_KEY" AS "RECORD_KEY",
    "CURRENT_RECORDS"."CREATED_AT" AS "CREATED_AT"
  FROM "REMEMBERED" AS "REMEMBERED"
  INNER JOIN "CURRENT_RECORDS" AS "CURRENT_RECORDS"
    ON "REMEMBERED"."RECORD_KEY" = "CURRENT_RECORDS"."RECORD_KEY"
  UNION ALL
  SELECT
    "CURRENT_RECORDS"."CLUSTER_NO" AS "CLUSTER_NO",
    "REMEMBERED"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "REMEMBERED"."ANCHOR_KEY" AS "ANCHOR_KEY",
    "REMEMBERED"."KNOWN_SINCE" AS "KNOWN_SINCE",
    "REMEMBERED"."RECORD_KEY" AS "RECORD_KEY",
    "CURRENT_RECORDS"."CREATED_AT" AS "CREATED_AT"
  FROM "REMEMBERED" AS "REMEMBERED"
  INNER JOIN "STAGING"."STG_DEPARTED" AS "DEPARTED"
    ON "REMEMBERED"."RECORD_KEY" = "DEPARTED"."RECORD_KEY"
  INNER JOIN "CURRENT_RECORDS" AS "CURRENT_RECORDS"
    ON "DEPARTED"."SURVIVOR_KEY" = "CURRENT_RECORDS"."RECORD_KEY"
), "CLAIMS" AS (
  SELECT
    "VOTES"."CLUSTER_NO" AS "CLUSTER_NO",
    "VOTES"."RECIPIENT_ID" AS "RECIPIENT_ID",
    MIN("VOTES"."KNOWN_SINCE") AS "KNOWN_SINCE",
    MIN("VOTES"."ANCHOR_KEY") AS "ANCHOR_KEY",
    BOOLOR_AGG("VOTES"."RECORD_KEY" = "VOTES"."ANCHOR_KEY") AS "HAS_ANCHOR",
    COUNT(*) AS "RECORDS",
    MIN("VOTES"."CREATED_AT") AS "CREATED_AT"
  FROM "VOTES" AS "VOTES"
  GROUP BY
    "VOTES"."CLUSTER_NO",
    "VOTES"."RECIPIENT_ID"
), "OWNED" AS (
  SELECT
    "CLAIMS"."CLUSTER_NO" AS "CLUSTER_NO",
    "CLAIMS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "CLAIMS"."KNOWN_SINCE" AS "KNOWN_SINCE",
    "CLAIMS"."ANCHOR_KEY" AS "ANCHOR_KEY",
    "CLAIMS"."HAS_ANCHOR" AS "HAS_ANCHOR",
    "CLAIMS"."RECORDS" AS "RECORDS",
    "CLAIMS"."CREATED_AT" AS "CREATED_AT",
    ROW_NUMBER() OVER (
      PARTITION BY "CLAIMS"."RECIPIENT_ID"
      ORDER BY "CLAIMS"."HAS_ANCHOR" DESC NULLS LAST, "CLAIMS"."RECORDS" DESC NULLS LAST, "CLAIMS"."CREATED_AT" ASC, "CLAIMS"."CLUSTER_NO" ASC
    ) AS "PLACE"
  FROM "CLAIMS" AS "CLAIMS"
), "CHOSEN" AS (
  SELECT
    "OWNED"."CLUSTER_NO" AS "CLUSTER_NO",
    "OWNED"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "OWNED"."ANCHOR_KEY" AS "ANCHOR_KEY",
    "OWNED"."KNOWN_SINCE" AS "KNOWN_SINCE",
    ROW_NUMBER() OVER (
      PARTITION BY "OWNED"."CLUSTER_NO"
      ORDER BY "OWNED"."KNOWN_SINCE" ASC, "OWNED"."CREATED_AT" ASC, "OWNED"."RECIPIENT_ID" ASC
    ) AS "PLACE"
  FROM "OWNED" AS "OWNED"
  WHERE
    "OWNED"."PLACE" = 1
), "FOUNDERS" AS (
  SELECT
    "CURRENT_RECORDS"."CLUSTER_NO" AS "CLUSTER_NO",
    "CURRENT_RECORDS"."RECORD_KEY" AS "RECORD_KEY",
    CASE
      WHEN BOOLOR_AGG(NOT "REMEMBERED"."RECORD_KEY" IS NULL) OVER (PARTITION BY "CURRENT_RECORDS"."CLUSTER_NO")
      THEN MAX("CURRENT_RECORDS"."SEEN_AT") OVER (PARTITION BY "CURRENT_RECORDS"."CLUSTER_NO")
      ELSE MIN("CURRENT_RECORDS"."FIRST_SEEN_AT") OVER (PARTITION BY "CURRENT_RECORDS"."CLUSTER_NO")
    END AS "KNOWN_SINCE",
    ROW_NUMBER() OVER (
      PARTITION BY "CURRENT_RECORDS"."CLUSTER_NO"
      ORDER BY "CURRENT_RECORDS"."CREATED_AT" ASC, "CURRENT_RECORDS"."RECORD_KEY" ASC
    ) AS "PLACE"
  FROM "CURRENT_RECORDS" AS "CURRENT_RECORDS"
  LEFT JOIN "REMEMBERED" AS "REMEMBERED"
    ON "CURRENT_RECORDS"."RECORD_KEY" = "REMEMBERED"."RECORD_KEY"
), "ASSIGNED" AS (
  SELECT
    "FOUNDERS"."CLUSTER_NO" AS "CLUSTER_NO",
    COALESCE(
      "CHOSEN"."RECIPIENT_ID",
      CASE
        WHEN "TAKEN"."RECIPIENT_ID" IS NULL
        THEN 'r' || SUBSTRING(MD5("FOUNDERS"."RECORD_KEY"), 1, 20)
        ELSE 'r' || SUBSTRING(
          MD5(
            "FOUNDERS"."RECORD_KEY" || ' again since ' || TO_CHAR("FOUNDERS"."KNOWN_SINCE", 'yyyy-mm-DD hh24:mi:ss')
          ),
          1,
          20
        )
      END
    ) AS "RECIPIENT_ID",
    COALESCE("CHOSEN"."ANCHOR_KEY", "FOUNDERS"."RECORD_KEY") AS "ANCHOR_KEY",
    COALESCE("CHOSEN"."KNOWN_SINCE", "FOUNDERS"."KNOWN_SINCE") AS "KNOWN_SINCE"
  FROM "FOUNDERS" AS "FOUNDERS"
  LEFT JOIN "CHOSEN" AS "CHOSEN"
    ON "FOUNDERS"."CLUSTER_NO" = "CHOSEN"."CLUSTER_NO" AND "CHOSEN"."PLACE" = 1
  LEFT JOIN (
    SELECT DISTINCT
      "REMEMBERED"."RECIPIENT_ID" AS "RECIPIENT_ID"
    FROM "REMEMBERED" AS "REMEMBERED"
  ) AS "TAKEN"
    ON 'r' || SUBSTRING(MD5("FOUNDERS"."RECORD_KEY"), 1, 20) = "TAKEN"."RECIPIENT_ID"
  WHERE
    "FOUNDERS"."PLACE" = 1
), "GIVEN_UP" AS (
  SELECT
    "CHOSEN"."RECIPIENT_ID" AS "FORMER_ID",
    "ASSIGNED"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "ASSIGNED"."ANCHOR_KEY" AS "ANCHOR_KEY",
    "ASSIGNED"."KNOWN_SINCE" AS "KNOWN_SINCE"
  FROM "CHOSEN" AS "CHOSEN"
  INNER JOIN "ASSIGNED" AS "ASSIGNED"
    ON "CHOSEN"."CLUSTER_NO" = "ASSIGNED"."CLUSTER_NO"
  WHERE
    "CHOSEN"."PLACE" > 1
)
SELECT
  "CURRENT_RECORDS"."RECORD_KEY" AS "RECORD_KEY",
  "ASSIGNED"."RECIPIENT_ID" AS "RECIPIENT_ID",
  "ASSIGNED"."ANCHOR_KEY" AS "ANCHOR_KEY",
  "ASSIGNED"."KNOWN_SINCE" AS "KNOWN_SINCE"
FROM "CURRENT_RECORDS" AS "CURRENT_RECORDS"
INNER JOIN "ASSIGNED" AS "ASSIGNED"
  ON "CURRENT_RECORDS"."CLUSTER_NO" = "ASSIGNED"."CLUSTER_NO"
UNION ALL
SELECT
  "REMEMBERED"."RECORD_KEY" AS "RECORD_KEY",
  COALESCE("GIVEN_UP"."RECIPIENT_ID", "REMEMBERED"."RECIPIENT_ID") AS "RECIPIENT_ID",
  COALESCE("GIVEN_UP"."ANCHOR_KEY", "REMEMBERED"."ANCHOR_KEY") AS "ANCHOR_KEY",
  COALESCE("GIVEN_UP"."KNOWN_SINCE", "REMEMBERED"."KNOWN_SINCE") AS "KNOWN_SINCE"
FROM "REMEMBERED" AS "REMEMBERED"
LEFT JOIN "CURRENT_RECORDS" AS "CURRENT_RECORDS"
  ON "REMEMBERED"."RECORD_KEY" = "CURRENT_RECORDS"."RECORD_KEY"
LEFT JOIN "GIVEN_UP" AS "GIVEN_UP"
  ON "REMEMBERED"."RECIPIENT_ID" = "GIVEN_UP"."FORMER_ID"
WHERE
  "CURRENT_RECORDS"."RECORD_KEY" IS NULL;

-- recipient_ids (incremental)
WITH "CURRENT_RECORDS" AS (
  SELECT
    "CLUSTERS"."RECORD_KEY" AS "RECORD_KEY",
    "CLUSTERS"."CLUSTER_NO" AS "CLUSTER_NO",
    "RECORDS"."CREATED_AT" AS "CREATED_AT",
    "RECORDS"."FIRST_SEEN_AT" AS "FIRST_SEEN_AT",
    "RECORDS"."SEEN_AT" AS "SEEN_AT"
  FROM "MATCHING"."CLUSTERS" AS "CLUSTERS"
  INNER JOIN "MATCHING"."RECORDS" AS "RECORDS"
    ON "CLUSTERS"."RECORD_NO" = "RECORDS"."RECORD_NO"
), "REMEMBERED" AS (
  SELECT
    "RECIPIENT_IDS"."RECORD_KEY" AS "RECORD_KEY",
    "RECIPIENT_IDS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "RECIPIENT_IDS"."ANCHOR_KEY" AS "ANCHOR_KEY",
    "RECIPIENT_IDS"."KNOWN_SINCE" AS "KNOWN_SINCE"
  FROM "CAMPAIGN"."RECIPIENT_IDS" AS "RECIPIENT_IDS"
), "VOTES" AS (
  SELECT
    "CURRENT_RECORDS"."CLUSTER_NO" AS "CLUSTER_NO",
    "REMEMBERED"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "REMEMBERED"."ANCHOR_KEY" AS "ANCHOR_KEY",
    "REMEMBERED"."KNOWN_SINCE" AS "KNOWN_SINCE",
    "REMEMBERED"."RECORD_KEY" AS "RECORD_KEY",
    "CURRENT_RECORDS"."CREATED_AT" AS "CREATED_AT"
  FROM "REMEMBERED" AS "REMEMBERED"
  INNER JOIN "CURRENT_RECORDS" AS "CURRENT_RECORDS"
    ON "REMEMBERED"."RECORD_KEY" = "CURRENT_RECORDS"."RECORD_KEY"
  UNION ALL
  SELECT
    "CURRENT_RECORDS"."CLUSTER_NO" AS "CLUSTER_NO",
    "REMEMBERED"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "REMEMBERED"."ANCHOR_KEY" AS "ANCHOR_KEY",
    "REMEMBERED"."KNOWN_SINCE" AS "KNOWN_SINCE",
    "REMEMBERED"."RECORD_KEY" AS "RECORD_KEY",
    "CURRENT_RECORDS"."CREATED_AT" AS "CREATED_AT"
  FROM "REMEMBERED" AS "REMEMBERED"
  INNER JOIN "STAGING"."STG_DEPARTED" AS "DEPARTED"
    ON "REMEMBERED"."RECORD_KEY" = "DEPARTED"."RECORD_KEY"
  INNER JOIN "CURRENT_RECORDS" AS "CURRENT_RECORDS"
    ON "DEPARTED"."SURVIVOR_KEY" = "CURRENT_RECORDS"."RECORD_KEY"
), "CLAIMS" AS (
  SELECT
    "VOTES"."CLUSTER_NO" AS "CLUSTER_NO",
    "VOTES"."RECIPIENT_ID" AS "RECIPIENT_ID",
    MIN("VOTES"."KNOWN_SINCE") AS "KNOWN_SINCE",
    MIN("VOTES"."ANCHOR_KEY") AS "ANCHOR_KEY",
    BOOLOR_AGG("VOTES"."RECORD_KEY" = "VOTES"."ANCHOR_KEY") AS "HAS_ANCHOR",
    COUNT(*) AS "RECORDS",
    MIN("VOTES"."CREATED_AT") AS "CREATED_AT"
  FROM "VOTES" AS "VOTES"
  GROUP BY
    "VOTES"."CLUSTER_NO",
    "VOTES"."RECIPIENT_ID"
), "OWNED" AS (
  SELECT
    "CLAIMS"."CLUSTER_NO" AS "CLUSTER_NO",
    "CLAIMS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "CLAIMS"."KNOWN_SINCE" AS "KNOWN_SINCE",
    "CLAIMS"."ANCHOR_KEY" AS "ANCHOR_KEY",
    "CLAIMS"."HAS_ANCHOR" AS "HAS_ANCHOR",
    "CLAIMS"."RECORDS" AS "RECORDS",
    "CLAIMS"."CREATED_AT" AS "CREATED_AT",
    ROW_NUMBER() OVER (
      PARTITION BY "CLAIMS"."RECIPIENT_ID"
      ORDER BY "CLAIMS"."HAS_ANCHOR" DESC NULLS LAST, "CLAIMS"."RECORDS" DESC NULLS LAST, "CLAIMS"."CREATED_AT" ASC, "CLAIMS"."CLUSTER_NO" ASC
    ) AS "PLACE"
  FROM "CLAIMS" AS "CLAIMS"
), "CHOSEN" AS (
  SELECT
    "OWNED"."CLUSTER_NO" AS "CLUSTER_NO",
    "OWNED"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "OWNED"."ANCHOR_KEY" AS "ANCHOR_KEY",
    "OWNED"."KNOWN_SINCE" AS "KNOWN_SINCE",
    ROW_NUMBER() OVER (
      PARTITION BY "OWNED"."CLUSTER_NO"
      ORDER BY "OWNED"."KNOWN_SINCE" ASC, "OWNED"."CREATED_AT" ASC, "OWNED"."RECIPIENT_ID" ASC
    ) AS "PLACE"
  FROM "OWNED" AS "OWNED"
  WHERE
    "OWNED"."PLACE" = 1
), "FOUNDERS" AS (
  SELECT
    "CURRENT_RECORDS"."CLUSTER_NO" AS "CLUSTER_NO",
    "CURRENT_RECORDS"."RECORD_KEY" AS "RECORD_KEY",
    CASE
      WHEN BOOLOR_AGG(NOT "REMEMBERED"."RECORD_KEY" IS NULL) OVER (PARTITION BY "CURRENT_RECORDS"."CLUSTER_NO")
      THEN MAX("CURRENT_RECORDS"."SEEN_AT") OVER (PARTITION BY "CURRENT_RECORDS"."CLUSTER_NO")
      ELSE MIN("CURRENT_RECORDS"."FIRST_SEEN_AT") OVER (PARTITION BY "CURRENT_RECORDS"."CLUSTER_NO")
    END AS "KNOWN_SINCE",
    ROW_NUMBER() OVER (
      PARTITION BY "CURRENT_RECORDS"."CLUSTER_NO"
      ORDER BY "CURRENT_RECORDS"."CREATED_AT" ASC, "CURRENT_RECORDS"."RECORD_KEY" ASC
    ) AS "PLACE"
  FROM "CURRENT_RECORDS" AS "CURRENT_RECORDS"
  LEFT JOIN "REMEMBERED" AS "REMEMBERED"
    ON "CURRENT_RECORDS"."RECORD_KEY" = "REMEMBERED"."RECORD_KEY"
), "ASSIGNED" AS (
  SELECT
    "FOUNDERS"."CLUSTER_NO" AS "CLUSTER_NO",
    COALESCE(
      "CHOSEN"."RECIPIENT_ID",
      CASE
        WHEN "TAKEN"."RECIPIENT_ID" IS NULL
        THEN 'r' || SUBSTRING(MD5("FOUNDERS"."RECORD_KEY"), 1, 20)
        ELSE 'r' || SUBSTRING(
          MD5(
            "FOUNDERS"."RECORD_KEY" || ' again since ' || TO_CHAR("FOUNDERS"."KNOWN_SINCE", 'yyyy-mm-DD hh24:mi:ss')
          ),
          1,
          20
        )
      END
    ) AS "RECIPIENT_ID",
    COALESCE("CHOSEN"."ANCHOR_KEY", "FOUNDERS"."RECORD_KEY") AS "ANCHOR_KEY",
    COALESCE("CHOSEN"."KNOWN_SINCE", "FOUNDERS"."KNOWN_SINCE") AS "KNOWN_SINCE"
  FROM "FOUNDERS" AS "FOUNDERS"
  LEFT JOIN "CHOSEN" AS "CHOSEN"
    ON "FOUNDERS"."CLUSTER_NO" = "CHOSEN"."CLUSTER_NO" AND "CHOSEN"."PLACE" = 1
  LEFT JOIN (
    SELECT DISTINCT
      "REMEMBERED"."RECIPIENT_ID" AS "RECIPIENT_ID"
    FROM "REMEMBERED" AS "REMEMBERED"
  ) AS "TAKEN"
    ON 'r' || SUBSTRING(MD5("FOUNDERS"."RECORD_KEY"), 1, 20) = "TAKEN"."RECIPIENT_ID"
  WHERE
    "FOUNDERS"."PLACE" = 1
), "GIVEN_UP" AS (
  SELECT
    "CHOSEN"."RECIPIENT_ID" AS "FORMER_ID",
    "ASSIGNED"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "ASSIGNED"."ANCHOR_KEY" AS "ANCHOR_KEY",
    "ASSIGNED"."KNOWN_SINCE" AS "KNOWN_SINCE"
  FROM "CHOSEN" AS "CHOSEN"
  INNER JOIN "ASSIGNED" AS "ASSIGNED"
    ON "CHOSEN"."CLUSTER_NO" = "ASSIGNED"."CLUSTER_NO"
  WHERE
    "CHOSEN"."PLACE" > 1
)
SELECT
  "CURRENT_RECORDS"."RECORD_KEY" AS "RECORD_KEY",
  "ASSIGNED"."RECIPIENT_ID" AS "RECIPIENT_ID",
  "ASSIGNED"."ANCHOR_KEY" AS "ANCHOR_KEY",
  "ASSIGNED"."KNOWN_SINCE" AS "KNOWN_SINCE"
FROM "CURRENT_RECORDS" AS "CURRENT_RECORDS"
INNER JOIN "ASSIGNED" AS "ASSIGNED"
  ON "CURRENT_RECORDS"."CLUSTER_NO" = "ASSIGNED"."CLUSTER_NO"
UNION ALL
SELECT
  "REMEMBERED"."RECORD_KEY" AS "RECORD_KEY",
  COALESCE("GIVEN_UP"."RECIPIENT_ID", "REMEMBERED"."RECIPIENT_ID") AS "RECIPIENT_ID",
  COALESCE("GIVEN_UP"."ANCHOR_KEY", "REMEMBERED"."ANCHOR_KEY") AS "ANCHOR_KEY",
  COALESCE("GIVEN_UP"."KNOWN_SINCE", "REMEMBERED"."KNOWN_SINCE") AS "KNOWN_SINCE"
FROM "REMEMBERED" AS "REMEMBERED"
LEFT JOIN "CURRENT_RECORDS" AS "CURRENT_RECORDS"
  ON "REMEMBERED"."RECORD_KEY" = "CURRENT_RECORDS"."RECORD_KEY"
LEFT JOIN "GIVEN_UP" AS "GIVEN_UP"
  ON "REMEMBERED"."RECIPIENT_ID" = "GIVEN_UP"."FORMER_ID"
WHERE
  "CURRENT_RECORDS"."RECORD_KEY" IS NULL;

-- recipient_links
SELECT
  "RECORDS"."RECORD_KEY" AS "RECORD_KEY",
  "RECIPIENT_IDS"."RECIPIENT_ID" AS "RECIPIENT_ID",
  "RECORDS"."ACCOUNT" AS "ACCOUNT",
  "RECORDS"."OBJECT" AS "OBJECT",
  "RECORDS"."RECORD_ID" AS "RECORD_ID",
  "RECORDS"."EMAIL_KEY" AS "EMAIL_KEY",
  "RECORDS"."OPTED_OUT" AS "OPTED_OUT",
  "RECORDS"."IS_READ_ONLY" AS "IS_READ_ONLY"
FROM "MATCHING"."RECORDS" AS "RECORDS"
INNER JOIN "CAMPAIGN"."RECIPIENT_IDS" AS "RECIPIENT_IDS"
  ON "RECORDS"."RECORD_KEY" = "RECIPIENT_IDS"."RECORD_KEY";

-- engagement
WITH "REACHED" AS (
  SELECT DISTINCT
    "RECIPIENT_LINKS"."EMAIL_KEY" AS "EMAIL_KEY",
    "RECIPIENT_LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID"
  FROM "CAMPAIGN"."RECIPIENT_LINKS" AS "RECIPIENT_LINKS"
  WHERE
    NOT "RECIPIENT_LINKS"."EMAIL_KEY" IS NULL
)
SELECT
  "EVENTS"."EVENT_ID" || ' ' || "REACHED"."RECIPIENT_ID" AS "ENGAGEMENT_KEY",
  "EVENTS"."EVENT_ID" AS "EVENT_ID",
  "REACHED"."RECIPIENT_ID" AS "RECIPIENT_ID",
  "EVENTS"."EMAIL_KEY" AS "EMAIL_KEY",
  "EVENTS"."CAMPAIGN" AS "CAMPAIGN",
  "EVENTS"."EVENT_TYPE" AS "EVENT_TYPE",
  "EVENTS"."OCCURRED_AT" AS "OCCURRED_AT"
FROM "STAGING"."STG_ENGAGEMENT" AS "EVENTS"
INNER JOIN "REACHED" AS "REACHED"
  ON "EVENTS"."EMAIL_KEY" = "REACHED"."EMAIL_KEY";

-- opt_outs
WITH "REASONS" AS (
  SELECT
    "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    'crm_record' AS "REASON",
    "LINKS"."RECORD_KEY" AS "FOUND_AT",
    CAST(NULL AS TIMESTAMPTZ) AS "OPTED_OUT_AT"
  FROM "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
  WHERE
    "LINKS"."OPTED_OUT"
  UNION ALL
  SELECT
    "RECIPIENT_IDS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    'departed_record' AS "REASON",
    "DEPARTED"."RECORD_KEY" AS "FOUND_AT",
    "DEPARTED"."DEPARTED_AT" AS "OPTED_OUT_AT"
  FROM "STAGING"."STG_DEPARTED" AS "DEPARTED"
  INNER JOIN "CAMPAIGN"."RECIPIENT_IDS" AS "RECIPIENT_IDS"
    ON "DEPARTED"."RECORD_KEY" = "RECIPIENT_IDS"."RECORD_KEY"
  WHERE
    "DEPARTED"."OPTED_OUT"
  UNION ALL
  SELECT
    "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    'departed_record' AS "REASON",
    "DEPARTED"."RECORD_KEY" AS "FOUND_AT",
    "DEPARTED"."DEPARTED_AT" AS "OPTED_OUT_AT"
  FROM "STAGING"."STG_DEPARTED" AS "DEPARTED"
  INNER JOIN "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
    ON "DEPARTED"."SURVIVOR_KEY" = "LINKS"."RECORD_KEY"
  WHERE
    "DEPARTED"."OPTED_OUT"
  UNION ALL
  SELECT
    "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    'departed_record' AS "REASON",
    "DEPARTED"."RECORD_KEY" AS "FOUND_AT",
    "DEPARTED"."DEPARTED_AT" AS "OPTED_OUT_AT"
  FROM "STAGING"."STG_DEPARTED" AS "DEPARTED"
  INNER JOIN "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
    ON "DEPARTED"."EMAIL_KEY" = "LINKS"."EMAIL_KEY"
  WHERE
    "DEPARTED"."OPTED_OUT"
  UNION ALL
  SELECT
    "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    'campaign_opt_out' AS "REASON",
    "ADDRESSES"."EMAIL_KEY" AS "FOUND_AT",
    "ADDRESSES"."OPTED_OUT_AT" AS "OPTED_OUT_AT"
  FROM "CAMPAIGN"."ADDRESSES" AS "ADDRESSES"
  INNER JOIN "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
    ON "ADDRESSES"."EMAIL_KEY" = "LINKS"."EMAIL_KEY"
  WHERE
    "ADDRESSES"."OPTED_OUT"
  UNION ALL
  SELECT
    "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    'bounced' AS "REASON",
    MIN("LINKS"."EMAIL_KEY") AS "FOUND_AT",
    MAX("ADDRESSES"."LAST_BOUNCE_AT") AS "OPTED_OUT_AT"
  FROM "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
  LEFT JOIN "CAMPAIGN"."ADDRESSES" AS "ADDRESSES"
    ON "LINKS"."EMAIL_KEY" = "ADDRESSES"."EMAIL_KEY"
  WHERE
    NOT "LINKS"."EMAIL_KEY" IS NULL
  GROUP BY
    "LINKS"."RECIPIENT_ID"
  HAVING
    BOOLAND_AGG(COALESCE("ADDRESSES"."IS_DEAD", FALSE))
)
SELECT
  "REASONS"."RECIPIENT_ID" || ' ' || "REASONS"."REASON" || ' ' || "REASONS"."FOUND_AT" AS "OPT_OUT_KEY",
  "REASONS"."RECIPIENT_ID" AS "RECIPIENT_ID",
  "REASONS"."REASON" AS "REASON",
  "REASONS"."FOUND_AT" AS "FOUND_AT",
  MIN("REASONS"."OPTED_OUT_AT") AS "OPTED_OUT_AT"
FROM "REASONS" AS "REASONS"
WHERE
  "REASONS"."RECIPIENT_ID" IN (
    SELECT
      "RECIPIENT_LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID"
    FROM "CAMPAIGN"."RECIPIENT_LINKS" AS "RECIPIENT_LINKS"
  )
GROUP BY
  "REASONS"."RECIPIENT_ID",
  "REASONS"."REASON",
  "REASONS"."FOUND_AT";

-- engagement_scores
WITH "CLOCK" AS (
  SELECT
    MAX("STG_ENGAGEMENT"."OCCURRED_AT") AS "AS_OF"
  FROM "STAGING"."STG_ENGAGEMENT" AS "STG_ENGAGEMENT"
), "WEIGHED" AS (
  SELECT
    "ENGAGEMENT"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "ENGAGEMENT"."EVENT_TYPE" AS "EVENT_TYPE",
    "ENGAGEMENT"."OCCURRED_AT" AS "OCCURRED_AT",
    "CLOCK"."AS_OF" AS "AS_OF",
    CAST(CASE "ENGAGEMENT"."EVENT_TYPE"
      WHEN 'open'
      THEN 4
      WHEN 'click'
      THEN 10
      WHEN 'bounce'
      THEN -6
      ELSE 0
    END * POWER(
      0.5,
      (
        CAST(DATE_PART('epoch_microsecond', "CLOCK"."AS_OF") AS DOUBLE) / 1000000 - CAST(DATE_PART('epoch_microsecond', "ENGAGEMENT"."OCCURRED_AT") AS DOUBLE) / 1000000
      ) / 86400.0 / 90
    ) AS DECIMAL(18, 6)) AS "WORTH"
  FROM "CAMPAIGN"."ENGAGEMENT" AS "ENGAGEMENT"
  CROSS JOIN "CLOCK" AS "CLOCK"
)
SELECT
  "WEIGHED"."RECIPIENT_ID" AS "RECIPIENT_ID",
  CAST(CASE
    WHEN BOOLOR_AGG(NOT "OPT_OUTS"."RECIPIENT_ID" IS NULL)
    THEN 0
    ELSE GREATEST_IGNORE_NULLS(0, LEAST_IGNORE_NULLS(100, ROUND(SUM("WEIGHED"."WORTH"), 1)))
  END AS DECIMAL(5, 1)) AS "SCORE",
  MAX(CASE WHEN "WEIGHED"."EVENT_TYPE" = 'open' THEN "WEIGHED"."OCCURRED_AT" END) AS "LAST_OPEN_AT",
  SUM(CASE WHEN "WEIGHED"."EVENT_TYPE" = 'send' THEN 1 ELSE 0 END) AS "SENDS",
  SUM(CASE WHEN "WEIGHED"."EVENT_TYPE" = 'open' THEN 1 ELSE 0 END) AS "OPENS",
  SUM(CASE WHEN "WEIGHED"."EVENT_TYPE" = 'click' THEN 1 ELSE 0 END) AS "CLICKS",
  SUM(CASE WHEN "WEIGHED"."EVENT_TYPE" = 'bounce' THEN 1 ELSE 0 END) AS "BOUNCES",
  SUM(CASE WHEN "WEIGHED"."EVENT_TYPE" = 'opt_out' THEN 1 ELSE 0 END) AS "OPT_OUTS",
  MAX("WEIGHED"."OCCURRED_AT") AS "LAST_EVENT_AT",
  MAX("WEIGHED"."AS_OF") AS "AS_OF",
  BOOLOR_AGG(NOT "OPT_OUTS"."RECIPIENT_ID" IS NULL) AS "OPTED_OUT"
FROM "WEIGHED" AS "WEIGHED"
LEFT JOIN (
  SELECT DISTINCT
    "OPT_OUTS"."RECIPIENT_ID" AS "RECIPIENT_ID"
  FROM "CAMPAIGN"."OPT_OUTS" AS "OPT_OUTS"
) AS "OPT_OUTS"
  ON "WEIGHED"."RECIPIENT_ID" = "OPT_OUTS"."RECIPIENT_ID"
GROUP BY
  "WEIGHED"."RECIPIENT_ID";

-- recipients
WITH "MEMBERS" AS (
  SELECT
    "RECIPIENT_IDS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "RECIPIENT_IDS"."KNOWN_SINCE" AS "KNOWN_SINCE",
    "RECORDS"."RECORD_KEY" AS "RECORD_KEY",
    "RECORDS"."ACCOUNT" AS "ACCOUNT",
    "RECORDS"."SALUTATION" AS "SALUTATION",
    "RECORDS"."FIRST_NAME" AS "FIRST_NAME",
    "RECORDS"."LAST_NAME" AS "LAST_NAME",
    "RECORDS"."EMAIL" AS "EMAIL",
    "RECORDS"."EMAIL_KEY" AS "EMAIL_KEY",
    "RECORDS"."PHONE" AS "PHONE",
    "RECORDS"."PHONE_KEY" AS "PHONE_KEY",
    "RECORDS"."MOBILE_PHONE" AS "MOBILE_PHONE",
    "RECORDS"."MOBILE_KEY" AS "MOBILE_KEY",
    "RECORDS"."STREET" AS "STREET",
    "RECORDS"."CITY" AS "CITY",
    "RECORDS"."STATE" AS "STATE",
    "RECORDS"."POSTAL_CODE" AS "POSTAL_CODE",
    "RECORDS"."COUNTRY" AS "COUNTRY",
    "RECORDS"."COMPANY" AS "COMPANY",
    "RECORDS"."JOB_TITLE" AS "JOB_TITLE",
    "RECORDS"."BIRTH_DATE" AS "BIRTH_DATE",
    "RECORDS"."DO_NOT_CALL" AS "DO_NOT_CALL",
    "RECORDS"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    "RECORDS"."OBJECT" AS "OBJECT",
    "RECORDS"."CREATED_AT" AS "CREATED_AT",
    "RECORDS"."CONTENT_CHANGED_AT" AS "CONTENT_CHANGED_AT",
    COALESCE("RECORDS"."EMAIL_CHANGED_AT", "RECORDS"."CONTENT_CHANGED_AT") AS "EMAIL_CHANGED_AT",
    "RECORDS"."GIVEN_KEY" AS "GIVEN_KEY",
    "RECORDS"."SURNAME_KEY" AS "SURNAME_KEY",
    COALESCE("ADDRESSES"."IS_DEAD", FALSE) AS "IS_DEAD"
  FROM "MATCHING"."RECORDS" AS "RECORDS"
  INNER JOIN "CAMPAIGN"."RECIPIENT_IDS" AS "RECIPIENT_IDS"
    ON "RECORDS"."RECORD_KEY" = "RECIPIENT_IDS"."RECORD_KEY"
  LEFT JOIN "CAMPAIGN"."ADDRESSES" AS "ADDRESSES"
    ON "RECORDS"."EMAIL_KEY" = "ADDRESSES"."EMAIL_KEY"
), "AGREED" AS (
  SELECT
    "MEMBERS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "MEMBERS"."KNOWN_SINCE" AS "KNOWN_SINCE",
    "MEMBERS"."RECORD_KEY" AS "RECORD_KEY",
    "MEMBERS"."ACCOUNT" AS "ACCOUNT",
    "MEMBERS"."SALUTATION" AS "SALUTATION",
    "MEMBERS"."FIRST_NAME" AS "FIRST_NAME",
    "MEMBERS"."LAST_NAME" AS "LAST_NAME",
    "MEMBERS"."EMAIL" AS "EMAIL",
    "MEMBERS"."EMAIL_KEY" AS "EMAIL_KEY",
    "MEMBERS"."PHONE" AS "PHONE",
    "MEMBERS"."PHONE_KEY" AS "PHONE_KEY",
    "MEMBERS"."MOBILE_PHONE" AS "MOBILE_PHONE",
    "MEMBERS"."MOBILE_KEY" AS "MOBILE_KEY",
    "MEMBERS"."STREET" AS "STREET",
    "MEMBERS"."CITY" AS "CITY",
    "MEMBERS"."STATE" AS "STATE",
    "MEMBERS"."POSTAL_CODE" AS "POSTAL_CODE",
    "MEMBERS"."COUNTRY" AS "COUNTRY",
    "MEMBERS"."COMPANY" AS "COMPANY",
    "MEMBERS"."JOB_TITLE" AS "JOB_TITLE",
    "MEMBERS"."BIRTH_DATE" AS "BIRTH_DATE",
    "MEMBERS"."DO_NOT_CALL" AS "DO_NOT_CALL",
    "MEMBERS"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    "MEMBERS"."OBJECT" AS "OBJECT",
    "MEMBERS"."CREATED_AT" AS "CREATED_AT",
    "MEMBERS"."CONTENT_CHANGED_AT" AS "CONTENT_CHANGED_AT",
    "MEMBERS"."EMAIL_CHANGED_AT" AS "EMAIL_CHANGED_AT",
    "MEMBERS"."GIVEN_KEY" AS "GIVEN_KEY",
    "MEMBERS"."SURNAME_KEY" AS "SURNAME_KEY",
    "MEMBERS"."IS_DEAD" AS "IS_DEAD",
    COUNT(*) OVER (
      PARTITION BY "MEMBERS"."RECIPIENT_ID", "MEMBERS"."GIVEN_KEY", "MEMBERS"."SURNAME_KEY"
    ) AS "SAME_NAME",
    COUNT("MEMBERS"."BIRTH_DATE") OVER (PARTITION BY "MEMBERS"."RECIPIENT_ID", "MEMBERS"."BIRTH_DATE") AS "SAME_BIRTH_DATE",
    CASE WHEN NOT "MEMBERS"."STREET" IS NULL THEN 2 ELSE 0 END + CASE WHEN NOT "MEMBERS"."POSTAL_CODE" IS NULL THEN 1 ELSE 0 END + CASE WHEN NOT "MEMBERS"."CITY" IS NULL THEN 1 ELSE 0 END + CASE WHEN NOT "MEMBERS"."COUNTRY" IS NULL THEN 1 ELSE 0 END AS "ADDRESS_PARTS"
  FROM "MEMBERS" AS "MEMBERS"
), "RANKED" AS (
  SELECT
    "AGREED"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "AGREED"."KNOWN_SINCE" AS "KNOWN_SINCE",
    "AGREED"."RECORD_KEY" AS "RECORD_KEY",
    "AGREED"."ACCOUNT" AS "ACCOUNT",
    "AGREED"."SALUTATION" AS "SALUTATION",
    "AGREED"."FIRST_NAME" AS "FIRST_NAME",
    "AGREED"."LAST_NAME" AS "LAST_NAME",
    "AGREED"."EMAIL" AS "EMAIL",
    "AGREED"."EMAIL_KEY" AS "EMAIL_KEY",
    "AGREED"."PHONE" AS "PHONE",
    "AGREED"."PHONE_KEY" AS "PHONE_KEY",
    "AGREED"."MOBILE_PHONE" AS "MOBILE_PHONE",
    "AGREED"."MOBILE_KEY" AS "MOBILE_KEY",
    "AGREED"."STREET" AS "STREET",
    "AGREED"."CITY" AS "CITY",
    "AGREED"."STATE" AS "STATE",
    "AGREED"."POSTAL_CODE" AS "POSTAL_CODE",
    "AGREED"."COUNTRY" AS "COUNTRY",
    "AGREED"."COMPANY" AS "COMPANY",
    "AGREED"."JOB_TITLE" AS "JOB_TITLE",
    "AGREED"."BIRTH_DATE" AS "BIRTH_DATE",
    "AGREED"."DO_NOT_CALL" AS "DO_NOT_CALL",
    "AGREED"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    "AGREED"."OBJECT" AS "OBJECT",
    "AGREED"."CREATED_AT" AS "CREATED_AT",
    "AGREED"."CONTENT_CHANGED_AT" AS "CONTENT_CHANGED_AT",
    "AGREED"."EMAIL_CHANGED_AT" AS "EMAIL_CHANGED_AT",
    "AGREED"."GIVEN_KEY" AS "GIVEN_KEY",
    "AGREED"."SURNAME_KEY" AS "SURNAME_KEY",
    "AGREED"."IS_DEAD" AS "IS_DEAD",
    "AGREED"."SAME_NAME" AS "SAME_NAME",
    "AGREED"."SAME_BIRTH_DATE" AS "SAME_BIRTH_DATE",
    "AGREED"."ADDRESS_PARTS" AS "ADDRESS_PARTS",
    ROW_NUMBER() OVER (
      PARTITION BY "AGREED"."RECIPIENT_ID"
      ORDER BY CASE
        WHEN NOT "AGREED"."EMAIL_KEY" IS NULL AND NOT "AGREED"."IS_DEAD"
        THEN 0
        WHEN NOT "AGREED"."EMAIL_KEY" IS NULL
        THEN 1
        WHEN NOT "AGREED"."EMAIL" IS NULL
        THEN 2
        ELSE 3
      END, "AGREED"."EMAIL_CHANGED_AT" DESC NULLS LAST, "AGREED"."RECORD_KEY"
    ) AS "EMAIL_PLACE",
    ROW_NUMBER() OVER (
      PARTITION BY "AGREED"."RECIPIENT_ID"
      ORDER BY CASE
        WHEN NOT "AGREED"."GIVEN_KEY" IS NULL AND NOT "AGREED"."SURNAME_KEY" IS NULL
        THEN 0
        ELSE 1
      END, CASE WHEN LENGTH("AGREED"."GIVEN_KEY") = 1 THEN 1 ELSE 0 END, CASE
        WHEN "AGREED"."FIRST_NAME" || "AGREED"."LAST_NAME" IN (
          UPPER("AGREED"."FIRST_NAME" || "AGREED"."LAST_NAME"),
          LOWER("AGREED"."FIRST_NAME" || "AGREED"."LAST_NAME")
        )
        THEN 1
        ELSE 0
      END, "AGREED"."SAME_NAME" DESC NULLS LAST, CASE
        WHEN "BACKHAUL".STRIP_ACCENTS("AGREED"."FIRST_NAME" || "AGREED"."LAST_NAME") <> "AGREED"."FIRST_NAME" || "AGREED"."LAST_NAME"
        THEN 0
        ELSE 1
      END, LENGTH(COALESCE("AGREED"."FIRST_NAME", '') || COALESCE("AGREED"."LAST_NAME", '')) DESC NULLS LAST, "AGREED"."CONTENT_CHANGED_AT" DESC NULLS LAST, "AGREED"."RECORD_KEY"
    ) AS "NAME_PLACE",
    ROW_NUMBER() OVER (
      PARTITION BY "AGREED"."RECIPIENT_ID"
      ORDER BY CASE WHEN "AGREED"."SALUTATION" IS NULL THEN 1 ELSE 0 END, "AGREED"."CONTENT_CHANGED_AT" DESC NULLS LAST, "AGREED"."RECORD_KEY"
    ) AS "SALUTATION_PLACE",
    ROW_NUMBER() OVER (
      PARTITION BY "AGREED"."RECIPIENT_ID"
      ORDER BY CASE
        WHEN NOT "AGREED"."PHONE_KEY" IS NULL
        THEN 0
        WHEN NOT "AGREED"."PHONE" IS NULL
        THEN 1
        ELSE 2
      END, "AGREED"."CONTENT_CHANGED_AT" DESC NULLS LAST, "AGREED"."RECORD_KEY"
    ) AS "PHONE_PLACE",
    ROW_NUMBER() OVER (
      PARTITION BY "AGREED"."RECIPIENT_ID"
      ORDER BY CASE
        WHEN NOT "AGREED"."MOBILE_KEY" IS NULL
        THEN 0
        WHEN NOT "AGREED"."MOBILE_PHONE" IS NULL
        THEN 1
        ELSE 2
      END, "AGREED"."CONTENT_CHANGED_AT" DESC NULLS LAST, "AGREED"."RECORD_KEY"
    ) AS "MOBILE_PLACE",
    ROW_NUMBER() OVER (
      PARTITION BY "AGREED"."RECIPIENT_ID"
      ORDER BY "AGREED"."ADDRESS_PARTS" DESC NULLS LAST, "AGREED"."CONTENT_CHANGED_AT" DESC NULLS LAST, "AGREED"."RECORD_KEY"
    ) AS "ADDRESS_PLACE",
    ROW_NUMBER() OVER (
      PARTITION BY "AGREED"."RECIPIENT_ID"
      ORDER BY CASE WHEN "AGREED"."COMPANY" IS NULL THEN 1 ELSE 0 END, "AGREED"."CONTENT_CHANGED_AT" DESC NULLS LAST, "AGREED"."RECORD_KEY"
    ) AS "COMPANY_PLACE",
    ROW_NUMBER() OVER (
      PARTITION BY "AGREED"."RECIPIENT_ID"
      ORDER BY CASE WHEN "AGREED"."JOB_TITLE" IS NULL THEN 1 ELSE 0 END, "AGREED"."CONTENT_CHANGED_AT" DESC NULLS LAST, "AGREED"."RECORD_KEY"
    ) AS "JOB_PLACE",
    ROW_NUMBER() OVER (
      PARTITION BY "AGREED"."RECIPIENT_ID"
      ORDER BY CASE WHEN "AGREED"."BIRTH_DATE" IS NULL THEN 1 ELSE 0 END, "AGREED"."SAME_BIRTH_DATE" DESC NULLS LAST, "AGREED"."CONTENT_CHANGED_AT" DESC NULLS LAST, "AGREED"."RECORD_KEY"
    ) AS "BIRTH_PLACE",
    ROW_NUMBER() OVER (
      PARTITION BY "AGREED"."RECIPIENT_ID"
      ORDER BY CASE WHEN "AGREED"."MEMBER_NUMBER" IS NULL THEN 1 ELSE 0 END, "AGREED"."CREATED_AT" ASC, "AGREED"."RECORD_KEY"
    ) AS "MEMBER_PLACE"
  FROM "AGREED" AS "AGREED"
), "MERGED" AS (
  SELECT
    "RANKED"."RECIPIENT_ID" AS "RECIPIENT_ID",
    MAX(CASE WHEN "RANKED"."SALUTATION_PLACE" = 1 THEN "RANKED"."SALUTATION" END) AS "SALUTATION",
    MAX(CASE WHEN "RANKED"."NAME_PLACE" = 1 THEN "RANKED"."FIRST_NAME" END) AS "FIRST_NAME",
    MAX(CASE WHEN "RANKED"."NAME_PLACE" = 1 THEN "RANKED"."LAST_NAME" END) AS "LAST_NAME",
    MAX(CASE WHEN "RANKED"."EMAIL_PLACE" = 1 THEN "RANKED"."EMAIL" END) AS "EMAIL",
    COALESCE(
      BOOLOR_AGG(
        "RANKED"."EMAIL_PLACE" = 1
        AND NOT "RANKED"."EMAIL_KEY" IS NULL
        AND NOT "RANKED"."IS_DEAD"
      ),
      FALSE
    ) AS "EMAIL_IS_VALID",
    MAX(CASE WHEN "RANKED"."PHONE_PLACE" = 1 THEN "RANKED"."PHONE" END) AS "PHONE",
    MAX(CASE WHEN "RANKED"."MOBILE_PLACE" = 1 THEN "RANKED"."MOBILE_PHONE" END) AS "MOBILE_PHONE",
    MAX(CASE WHEN "RANKED"."ADDRESS_PLACE" = 1 THEN "RANKED"."STREET" END) AS "STREET",
    MAX(CASE WHEN "RANKED"."ADDRESS_PLACE" = 1 THEN "RANKED"."CITY" END) AS "CITY",
    MAX(CASE WHEN "RANKED"."ADDRESS_PLACE" = 1 THEN "RANKED"."STATE" END) AS "STATE",
    MAX(CASE WHEN "RANKED"."ADDRESS_PLACE" = 1 THEN "RANKED"."POSTAL_CODE" END) AS "POSTAL_CODE",
    MAX(CASE WHEN "RANKED"."ADDRESS_PLACE" = 1 THEN "RANKED"."COUNTRY" END) AS "COUNTRY",
    MAX(CASE WHEN "RANKED"."COMPANY_PLACE" = 1 THEN "RANKED"."COMPANY" END) AS "COMPANY",
    MAX(CASE WHEN "RANKED"."JOB_PLACE" = 1 THEN "RANKED"."JOB_TITLE" END) AS "JOB_TITLE",
    MAX(CASE WHEN "RANKED"."BIRTH_PLACE" = 1 THEN "RANKED"."BIRTH_DATE" END) AS "BIRTH_DATE",
    BOOLOR_AGG("RANKED"."DO_NOT_CALL") AS "DO_NOT_CALL",
    MAX(CASE WHEN "RANKED"."MEMBER_PLACE" = 1 THEN "RANKED"."MEMBER_NUMBER" END) AS "MEMBER_NUMBER",
    MAX(CASE WHEN "RANKED"."NAME_PLACE" = 1 THEN "RANKED"."RECORD_KEY" END) AS "MAIN_RECORD_KEY",
    COUNT(*) AS "RECORDS",
    COUNT(DISTINCT "RANKED"."ACCOUNT") AS "ACCOUNTS",
    BOOLOR_AGG("RANKED"."OBJECT" IN ('Contact', 'contact')) AS "IS_CONTACT",
    MIN("RANKED"."CREATED_AT") AS "CREATED_AT",
    MAX("RANKED"."CONTENT_CHANGED_AT") AS "CHANGED_AT",
    MIN("RANKED"."KNOWN_SINCE") AS "KNOWN_SINCE"
  FROM "RANKED" AS "RANKED"
  GROUP BY
    "RANKED"."RECIPIENT_ID"
)
SELECT
  "MERGED"."RECIPIENT_ID" AS "RECIPIENT_ID",
  "MERGED"."SALUTATION" AS "SALUTATION",
  "MERGED"."FIRST_NAME" AS "FIRST_NAME",
  "MERGED"."LAST_NAME" AS "LAST_NAME",
  "MERGED"."EMAIL" AS "EMAIL",
  "MERGED"."EMAIL_IS_VALID" AS "EMAIL_IS_VALID",
  "MERGED"."PHONE" AS "PHONE",
  "MERGED"."MOBILE_PHONE" AS "MOBILE_PHONE",
  "MERGED"."STREET" AS "STREET",
  "MERGED"."CITY" AS "CITY",
  "MERGED"."STATE" AS "STATE",
  "MERGED"."POSTAL_CODE" AS "POSTAL_CODE",
  "MERGED"."COUNTRY" AS "COUNTRY",
  "MERGED"."COMPANY" AS "COMPANY",
  "MERGED"."JOB_TITLE" AS "JOB_TITLE",
  "MERGED"."BIRTH_DATE" AS "BIRTH_DATE",
  NOT "OPT_OUTS"."RECIPIENT_ID" IS NULL AS "OPTED_OUT",
  "MERGED"."DO_NOT_CALL" AS "DO_NOT_CALL",
  "MERGED"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
  "MERGED"."MAIN_RECORD_KEY" AS "MAIN_RECORD_KEY",
  "MERGED"."RECORDS" AS "RECORDS",
  "MERGED"."ACCOUNTS" AS "ACCOUNTS",
  "MERGED"."IS_CONTACT" AS "IS_CONTACT",
  "MERGED"."CREATED_AT" AS "CREATED_AT",
  "MERGED"."CHANGED_AT" AS "CHANGED_AT",
  "MERGED"."KNOWN_SINCE" AS "KNOWN_SINCE"
FROM "MERGED" AS "MERGED"
LEFT JOIN (
  SELECT DISTINCT
    "OPT_OUTS"."RECIPIENT_ID" AS "RECIPIENT_ID"
  FROM "CAMPAIGN"."OPT_OUTS" AS "OPT_OUTS"
) AS "OPT_OUTS"
  ON "MERGED"."RECIPIENT_ID" = "OPT_OUTS"."RECIPIENT_ID";

-- duplicates
WITH RECURSIVE "MAIN_RECORDS" AS (
  SELECT
    "RECORDS"."RECORD_NO" AS "RECORD_NO",
    "RECIPIENTS"."RECIPIENT_ID" AS "RECIPIENT_ID"
  FROM "CAMPAIGN"."RECIPIENTS" AS "RECIPIENTS"
  INNER JOIN "MATCHING"."RECORDS" AS "RECORDS"
    ON "RECIPIENTS"."MAIN_RECORD_KEY" = "RECORDS"."RECORD_KEY"
  WHERE
    "RECIPIENTS"."RECORDS" > 1
), "INSIDE" AS (
  SELECT
    "KEPT"."RECORD_A" AS "A",
    "KEPT"."RECORD_B" AS "B",
    "KEPT"."POINTS" AS "POINTS"
  FROM "MATCHING"."LINKS" AS "KEPT"
  INNER JOIN "MATCHING"."CLUSTERS" AS "ONE"
    ON "KEPT"."RECORD_A" = "ONE"."RECORD_NO"
  INNER JOIN "MATCHING"."CLUSTERS" AS "OTHER"
    ON "KEPT"."RECORD_B" = "OTHER"."RECORD_NO"
  WHERE
    "ONE"."CLUSTER_NO" = "OTHER"."CLUSTER_NO"
), "BOTH_WAYS" AS (
  SELECT
    "INSIDE"."A" AS "A",
    "INSIDE"."B" AS "B",
    "INSIDE"."POINTS" AS "POINTS"
  FROM "INSIDE" AS "INSIDE"
  UNION ALL
  SELECT
    "INSIDE"."B" AS "A",
    "INSIDE"."A" AS "B",
    "INSIDE"."POINTS" AS "POINTS"
  FROM "INSIDE" AS "INSIDE"
), "BEGUN" AS (
  SELECT
    "BOTH_WAYS"."A" AS "A",
    "BOTH_WAYS"."B" AS "B",
    CASE WHEN NOT "MAIN_RECORDS"."RECORD_NO" IS NULL THEN 0 END AS "V"
  FROM "BOTH_WAYS" AS "BOTH_WAYS"
  LEFT JOIN "MAIN_RECORDS" AS "MAIN_RECORDS"
    ON "BOTH_WAYS"."A" = "MAIN_RECORDS"."RECORD_NO"
), "NEAREST" AS (
  SELECT DISTINCT
    "DEPTHS"."A" AS "NODE",
    "DEPTHS"."V" AS "DEPTH"
  FROM (
    SELECT
      "PAIRED"."A" AS "A",
      "PAIRED"."B" AS "B",
      MIN(
        CASE
          WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 1 < "PAIRED"."V"
          THEN "PAIRED"."M" + 1
          ELSE "PAIRED"."V"
        END
      ) OVER (PARTITION BY "PAIRED"."A") AS "V"
    FROM (
      SELECT
        "KNOWN"."A" AS "A",
        "KNOWN"."B" AS "B",
        "KNOWN"."V" AS "V",
        MIN("KNOWN"."V") OVER (
          PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
        ) AS "M"
      FROM (
        SELECT
          "PAIRED"."A" AS "A",
          "PAIRED"."B" AS "B",
          MIN(
            CASE
              WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 1 < "PAIRED"."V"
              THEN "PAIRED"."M" + 1
              ELSE "PAIRED"."V"
            END
          ) OVER (PARTITION BY "PAIRED"."A") AS "V"
        FROM (
          SELECT
            "KNOWN"."A" AS "A",
            "KNOWN"."B" AS "B",
            "KNOWN"."V" AS "V",
            MIN("KNOWN"."V") OVER (
              PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
            ) AS "M"
          FROM (
            SELECT
              "PAIRED"."A" AS "A",
              "PAIRED"."B" AS "B",
              MIN(
                CASE
                  WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 1 < "PAIRED"."V"
                  THEN "PAIRED"."M" + 1
                  ELSE "PAIRED"."V"
                END
              ) OVER (PARTITION BY "PAIRED"."A") AS "V"
            FROM (
              SELECT
                "KNOWN"."A" AS "A",
                "KNOWN"."B" AS "B",
                "KNOWN"."V" AS "V",
                MIN("KNOWN"."V") OVER (
                  PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                ) AS "M"
              FROM (
                SELECT
                  "PAIRED"."A" AS "A",
                  "PAIRED"."B" AS "B",
                  MIN(
                    CASE
                      WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 1 < "PAIRED"."V"
                      THEN "PAIRED"."M" + 1
                      ELSE "PAIRED"."V"
                    END
                  ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                FROM (
                  SELECT
                    "KNOWN"."A" AS "A",
                    "KNOWN"."B" AS "B",
                    "KNOWN"."V" AS "V",
                    MIN("KNOWN"."V") OVER (
                      PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                    ) AS "M"
                  FROM (
                    SELECT
                      "PAIRED"."A" AS "A",
                      "PAIRED"."B" AS "B",
                      MIN(
                        CASE
                          WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 1 < "PAIRED"."V"
                          THEN "PAIRED"."M" + 1
                          ELSE "PAIRED"."V"
                        END
                      ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                    FROM (
                      SELECT
                        "KNOWN"."A" AS "A",
                        "KNOWN"."B" AS "B",
                        "KNOWN"."V" AS "V",
                        MIN("KNOWN"."V") OVER (
                          PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                        ) AS "M"
                      FROM (
                        SELECT
                          "PAIRED"."A" AS "A",
                          "PAIRED"."B" AS "B",
                          MIN(
                            CASE
                              WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 1 < "PAIRED"."V"
                              THEN "PAIRED"."M" + 1
                              ELSE "PAIRED"."V"
                            END
                          ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                        FROM (
                          SELECT
                            "KNOWN"."A" AS "A",
                            "KNOWN"."B" AS "B",
                            "KNOWN"."V" AS "V",
                            MIN("KNOWN"."V") OVER (
                              PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                            ) AS "M"
                          FROM (
                            SELECT
                              "PAIRED"."A" AS "A",
                              "PAIRED"."B" AS "B",
                              MIN(
                                CASE
                                  WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 1 < "PAIRED"."V"
                                  THEN "PAIRED"."M" + 1
                                  ELSE "PAIRED"."V"
                                END
                              ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                            FROM (
                              SELECT
                                "KNOWN"."A" AS "A",
                                "KNOWN"."B" AS "B",
                                "KNOWN"."V" AS "V",
                                MIN("KNOWN"."V") OVER (
                                  PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                ) AS "M"
                              FROM (
                                SELECT
                                  "PAIRED"."A" AS "A",
                                  "PAIRED"."B" AS "B",
                                  MIN(
                                    CASE
                                      WHEN "PAIRED"."V" IS NULL OR "PAIRED"."M" + 1 < "PAIRED"."V"
                                      THEN "PAIRED"."M" + 1
                                      ELSE "PAIRED"."V"
                                    END
                                  ) OVER (PARTITION BY "PAIRED"."A") AS "V"
                                FROM (
                                  SELECT
                                    "KNOWN"."A" AS "A",
                                    "KNOWN"."B" AS "B",
                                    "KNOWN"."V" AS "V",
                                    MIN("KNOWN"."V") OVER (
                                      PARTITION BY CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."A" ELSE "KNOWN"."B" END, CASE WHEN "KNOWN"."A" < "KNOWN"."B" THEN "KNOWN"."B" ELSE "KNOWN"."A" END
                                    ) AS "M"
                                  FROM (
                                    SELECT
                                      "BEGUN"."A" AS "A",
                                      "BEGUN"."B" AS "B",
                                      "BEGUN"."V" AS "V"
                                    FROM "BEGUN" AS "BEGUN"
                                  ) AS "KNOWN"
                                ) AS "PAIRED"
                              ) AS "KNOWN"
                            ) AS "PAIRED"
                          ) AS "KNOWN"
                        ) AS "PAIRED"
                      ) AS "KNOWN"
                    ) AS "PAIRED"
                  ) AS "KNOWN"
                ) AS "PAIRED"
              ) AS "KNOWN"
            ) AS "PAIRED"
          ) AS "KNOWN"
        ) AS "PAIRED"
      ) AS "KNOWN"
    ) AS "PAIRED"
  ) AS "DEPTHS"
), "PARENTS" AS (
  SELECT
    "BOTH_WAYS"."A" AS "CHILD",
    "BOTH_WAYS"."B" AS "PARENT",
    ROW_NUMBER() OVER (
      PARTITION BY "BOTH_WAYS"."A"
      ORDER BY "BOTH_WAYS"."POINTS" DESC NULLS LAST, "BOTH_WAYS"."B"
    ) AS "PLACE"
  FROM "BOTH_WAYS" AS "BOTH_WAYS"
  LEFT JOIN "MAIN_RECORDS" AS "ROOTS"
    ON "BOTH_WAYS"."A" = "ROOTS"."RECORD_NO"
  LEFT JOIN "NEAREST" AS "CHILD"
    ON "BOTH_WAYS"."A" = "CHILD"."NODE"
  LEFT JOIN "NEAREST" AS "PARENT"
    ON "BOTH_WAYS"."B" = "PARENT"."NODE"
  WHERE
    "ROOTS"."RECORD_NO" IS NULL
    AND (
      "CHILD"."DEPTH" = "PARENT"."DEPTH" + 1 OR "CHILD"."DEPTH" IS NULL
    )
)
SELECT
  "CHILD"."RECORD_KEY" AS "RECORD_KEY",
  "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
  "CHILD"."ACCOUNT" AS "ACCOUNT",
  "CHILD"."OBJECT" AS "OBJECT",
  "CHILD"."RECORD_ID" AS "RECORD_ID",
  "PARENT"."RECORD_KEY" AS "MERGED_INTO_KEY",
  "PARENT"."ACCOUNT" AS "MERGED_INTO_ACCOUNT",
  "PARENT"."OBJECT" AS "MERGED_INTO_OBJECT",
  "PARENT"."RECORD_ID" AS "MERGED_INTO_ID",
  "KEPT"."RULE" AS "RULE",
  "PAIRS"."POINTS" AS "POINTS",
  SUBSTR(
    '' || COALESCE(
      '; ' || 'given name ' || "PAIRS"."GIVEN_LEVEL" || ': ' || REPLACE(CAST("CHILD"."FIRST_NAME" AS VARCHAR), CHR(  10), ', ') || ' / ' || REPLACE(CAST("PARENT"."FIRST_NAME" AS VARCHAR), CHR(  10), ', '),
      ''
    ) || COALESCE(
      '; ' || 'surname ' || "PAIRS"."SURNAME_LEVEL" || ': ' || REPLACE(CAST("CHILD"."LAST_NAME" AS VARCHAR), CHR(  10), ', ') || ' / ' || REPLACE(CAST("PARENT"."LAST_NAME" AS VARCHAR), CHR(  10), ', '),
      ''
    ) || COALESCE(
      '; ' || 'birth date ' || "PAIRS"."BIRTH_LEVEL" || ': ' || REPLACE(CAST("CHILD"."BIRTH_DATE" AS VARCHAR), CHR(  10), ', ') || ' / ' || REPLACE(CAST("PARENT"."BIRTH_DATE" AS VARCHAR), CHR(  10), ', '),
      ''
    ) || COALESCE(
      '; ' || 'email ' || "PAIRS"."EMAIL_LEVEL" || ': ' || REPLACE(CAST("CHILD"."EMAIL" AS VARCHAR), CHR(  10), ', ') || ' / ' || REPLACE(CAST("PARENT"."EMAIL" AS VARCHAR), CHR(  10), ', '),
      ''
    ) || COALESCE(
      '; ' || 'phone ' || "PAIRS"."PHONE_LEVEL" || ': ' || REPLACE(CAST(COALESCE("CHILD"."PHONE", "CHILD"."MOBILE_PHONE") AS VARCHAR), CHR(  10), ', ') || ' / ' || REPLACE(
        CAST(COALESCE("PARENT"."PHONE", "PARENT"."MOBILE_PHONE") AS VARCHAR),
        CHR(  10),
        ', '
      ),
      ''
    ) || COALESCE(
      '; ' || 'street ' || "PAIRS"."STREET_LEVEL" || ': ' || REPLACE(CAST("CHILD"."STREET" AS VARCHAR), CHR(  10), ', ') || ' / ' || REPLACE(CAST("PARENT"."STREET" AS VARCHAR), CHR(  10), ', '),
      ''
    ) || COALESCE(
      '; ' || 'place ' || "PAIRS"."AREA_LEVEL" || ': ' || REPLACE(
        CAST(SUBSTR(
          '' || COALESCE(' ' || "CHILD"."POSTAL_CODE", '') || COALESCE(' ' || "CHILD"."CITY", ''),
          LENGTH(' ') + 1
        ) AS VARCHAR),
        CHR(  10),
        ', '
      ) || ' / ' || REPLACE(
        CAST(SUBSTR(
          '' || COALESCE(' ' || "PARENT"."POSTAL_CODE", '') || COALESCE(' ' || "PARENT"."CITY", ''),
          LENGTH(' ') + 1
        ) AS VARCHAR),
        CHR(  10),
        ', '
      ),
      ''
    ),
    LENGTH('; ') + 1
  ) AS "COMPARED_VALUES"
FROM "PARENTS" AS "PARENTS"
INNER JOIN "MATCHING"."RECORDS" AS "CHILD"
  ON "PARENTS"."CHILD" = "CHILD"."RECORD_NO"
INNER JOIN "MATCHING"."RECORDS" AS "PARENT"
  ON "PARENTS"."PARENT" = "PARENT"."RECORD_NO"
INNER JOIN "MATCHING"."PAIRS" AS "PAIRS"
  ON LEAST_IGNORE_NULLS("PARENTS"."CHILD", "PARENTS"."PARENT") = "PAIRS"."RECORD_A"
  AND GREATEST_IGNORE_NULLS("PARENTS"."CHILD", "PARENTS"."PARENT") = "PAIRS"."RECORD_B"
INNER JOIN "MATCHING"."LINKS" AS "KEPT"
  ON "PAIRS"."RECORD_A" = "KEPT"."RECORD_A" AND "PAIRS"."RECORD_B" = "KEPT"."RECORD_B"
INNER JOIN "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
  ON "CHILD"."RECORD_KEY" = "LINKS"."RECORD_KEY"
WHERE
  "PARENTS"."PLACE" = 1;

-- export_dynamics_contact
WITH "HELD" AS (
  SELECT
    "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "LINKS"."RECORD_KEY" AS "RECORD_KEY",
    "RECORDS"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    BOOLOR_AGG("RECORDS"."MEMBER_NUMBER" = "RECIPIENTS"."MEMBER_NUMBER") OVER (PARTITION BY "LINKS"."RECIPIENT_ID") AS "IS_HELD",
    ROW_NUMBER() OVER (
      PARTITION BY "LINKS"."RECIPIENT_ID"
      ORDER BY "RECORDS"."CREATED_AT" ASC, "LINKS"."RECORD_KEY"
    ) AS "PLACE"
  FROM "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
  INNER JOIN "MATCHING"."RECORDS" AS "RECORDS"
    ON "LINKS"."RECORD_KEY" = "RECORDS"."RECORD_KEY"
  INNER JOIN "CAMPAIGN"."RECIPIENTS" AS "RECIPIENTS"
    ON "LINKS"."RECIPIENT_ID" = "RECIPIENTS"."RECIPIENT_ID"
  WHERE
    "LINKS"."ACCOUNT" = 'dynamics' AND "LINKS"."OBJECT" = 'contact'
)
SELECT
  "LINKS"."RECORD_ID" AS "CRM_ID",
  "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
  CAST(COALESCE("SCORES"."SCORE", 0) AS DECIMAL(18, 1)) AS "SCORE",
  "SCORES"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
  "RECIPIENTS"."OPTED_OUT" AS "OPTED_OUT",
  CASE
    WHEN "HELD"."MEMBER_NUMBER" IS NULL
    AND "HELD"."PLACE" = 1
    AND NOT COALESCE("HELD"."IS_HELD", FALSE)
    THEN "RECIPIENTS"."MEMBER_NUMBER"
    ELSE "HELD"."MEMBER_NUMBER"
  END AS "MEMBER_NUMBER"
FROM "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
INNER JOIN "CAMPAIGN"."RECIPIENTS" AS "RECIPIENTS"
  ON "LINKS"."RECIPIENT_ID" = "RECIPIENTS"."RECIPIENT_ID"
INNER JOIN "HELD" AS "HELD"
  ON "LINKS"."RECORD_KEY" = "HELD"."RECORD_KEY"
LEFT JOIN "CAMPAIGN"."ENGAGEMENT_SCORES" AS "SCORES"
  ON "LINKS"."RECIPIENT_ID" = "SCORES"."RECIPIENT_ID"
WHERE
  "LINKS"."ACCOUNT" = 'dynamics'
  AND "LINKS"."OBJECT" = 'contact'
  AND NOT "LINKS"."IS_READ_ONLY"
  AND (
    NOT "SCORES"."RECIPIENT_ID" IS NULL OR "RECIPIENTS"."OPTED_OUT"
  );

-- export_dynamics_lead
WITH "HELD" AS (
  SELECT
    "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "LINKS"."RECORD_KEY" AS "RECORD_KEY",
    "RECORDS"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    BOOLOR_AGG("RECORDS"."MEMBER_NUMBER" = "RECIPIENTS"."MEMBER_NUMBER") OVER (PARTITION BY "LINKS"."RECIPIENT_ID") AS "IS_HELD",
    ROW_NUMBER() OVER (
      PARTITION BY "LINKS"."RECIPIENT_ID"
      ORDER BY "RECORDS"."CREATED_AT" ASC, "LINKS"."RECORD_KEY"
    ) AS "PLACE"
  FROM "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
  INNER JOIN "MATCHING"."RECORDS" AS "RECORDS"
    ON "LINKS"."RECORD_KEY" = "RECORDS"."RECORD_KEY"
  INNER JOIN "CAMPAIGN"."RECIPIENTS" AS "RECIPIENTS"
    ON "LINKS"."RECIPIENT_ID" = "RECIPIENTS"."RECIPIENT_ID"
  WHERE
    "LINKS"."ACCOUNT" = 'dynamics' AND "LINKS"."OBJECT" = 'lead'
)
SELECT
  "LINKS"."RECORD_ID" AS "CRM_ID",
  "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
  CAST(COALESCE("SCORES"."SCORE", 0) AS DECIMAL(18, 1)) AS "SCORE",
  "SCORES"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
  "RECIPIENTS"."OPTED_OUT" AS "OPTED_OUT",
  CASE
    WHEN "HELD"."MEMBER_NUMBER" IS NULL
    AND "HELD"."PLACE" = 1
    AND NOT COALESCE("HELD"."IS_HELD", FALSE)
    THEN "RECIPIENTS"."MEMBER_NUMBER"
    ELSE "HELD"."MEMBER_NUMBER"
  END AS "MEMBER_NUMBER"
FROM "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
INNER JOIN "CAMPAIGN"."RECIPIENTS" AS "RECIPIENTS"
  ON "LINKS"."RECIPIENT_ID" = "RECIPIENTS"."RECIPIENT_ID"
INNER JOIN "HELD" AS "HELD"
  ON "LINKS"."RECORD_KEY" = "HELD"."RECORD_KEY"
LEFT JOIN "CAMPAIGN"."ENGAGEMENT_SCORES" AS "SCORES"
  ON "LINKS"."RECIPIENT_ID" = "SCORES"."RECIPIENT_ID"
WHERE
  "LINKS"."ACCOUNT" = 'dynamics'
  AND "LINKS"."OBJECT" = 'lead'
  AND NOT "LINKS"."IS_READ_ONLY"
  AND (
    NOT "SCORES"."RECIPIENT_ID" IS NULL OR "RECIPIENTS"."OPTED_OUT"
  );

-- export_salesforce_contact
WITH "HELD" AS (
  SELECT
    "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "LINKS"."RECORD_KEY" AS "RECORD_KEY",
    "RECORDS"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    BOOLOR_AGG("RECORDS"."MEMBER_NUMBER" = "RECIPIENTS"."MEMBER_NUMBER") OVER (PARTITION BY "LINKS"."RECIPIENT_ID") AS "IS_HELD",
    ROW_NUMBER() OVER (
      PARTITION BY "LINKS"."RECIPIENT_ID"
      ORDER BY "RECORDS"."CREATED_AT" ASC, "LINKS"."RECORD_KEY"
    ) AS "PLACE"
  FROM "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
  INNER JOIN "MATCHING"."RECORDS" AS "RECORDS"
    ON "LINKS"."RECORD_KEY" = "RECORDS"."RECORD_KEY"
  INNER JOIN "CAMPAIGN"."RECIPIENTS" AS "RECIPIENTS"
    ON "LINKS"."RECIPIENT_ID" = "RECIPIENTS"."RECIPIENT_ID"
  WHERE
    "LINKS"."ACCOUNT" = 'salesforce' AND "LINKS"."OBJECT" = 'Contact'
)
SELECT
  "LINKS"."RECORD_ID" AS "CRM_ID",
  "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
  CAST(COALESCE("SCORES"."SCORE", 0) AS DECIMAL(18, 1)) AS "SCORE",
  "SCORES"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
  "RECIPIENTS"."OPTED_OUT" AS "OPTED_OUT",
  CASE
    WHEN "HELD"."MEMBER_NUMBER" IS NULL
    AND "HELD"."PLACE" = 1
    AND NOT COALESCE("HELD"."IS_HELD", FALSE)
    THEN "RECIPIENTS"."MEMBER_NUMBER"
    ELSE "HELD"."MEMBER_NUMBER"
  END AS "MEMBER_NUMBER"
FROM "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
INNER JOIN "CAMPAIGN"."RECIPIENTS" AS "RECIPIENTS"
  ON "LINKS"."RECIPIENT_ID" = "RECIPIENTS"."RECIPIENT_ID"
INNER JOIN "HELD" AS "HELD"
  ON "LINKS"."RECORD_KEY" = "HELD"."RECORD_KEY"
LEFT JOIN "CAMPAIGN"."ENGAGEMENT_SCORES" AS "SCORES"
  ON "LINKS"."RECIPIENT_ID" = "SCORES"."RECIPIENT_ID"
WHERE
  "LINKS"."ACCOUNT" = 'salesforce'
  AND "LINKS"."OBJECT" = 'Contact'
  AND NOT "LINKS"."IS_READ_ONLY"
  AND (
    NOT "SCORES"."RECIPIENT_ID" IS NULL OR "RECIPIENTS"."OPTED_OUT"
  );

-- export_salesforce_lead
WITH "HELD" AS (
  SELECT
    "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
    "LINKS"."RECORD_KEY" AS "RECORD_KEY",
    "RECORDS"."MEMBER_NUMBER" AS "MEMBER_NUMBER",
    BOOLOR_AGG("RECORDS"."MEMBER_NUMBER" = "RECIPIENTS"."MEMBER_NUMBER") OVER (PARTITION BY "LINKS"."RECIPIENT_ID") AS "IS_HELD",
    ROW_NUMBER() OVER (
      PARTITION BY "LINKS"."RECIPIENT_ID"
      ORDER BY "RECORDS"."CREATED_AT" ASC, "LINKS"."RECORD_KEY"
    ) AS "PLACE"
  FROM "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
  INNER JOIN "MATCHING"."RECORDS" AS "RECORDS"
    ON "LINKS"."RECORD_KEY" = "RECORDS"."RECORD_KEY"
  INNER JOIN "CAMPAIGN"."RECIPIENTS" AS "RECIPIENTS"
    ON "LINKS"."RECIPIENT_ID" = "RECIPIENTS"."RECIPIENT_ID"
  WHERE
    "LINKS"."ACCOUNT" = 'salesforce' AND "LINKS"."OBJECT" = 'Lead'
)
SELECT
  "LINKS"."RECORD_ID" AS "CRM_ID",
  "LINKS"."RECIPIENT_ID" AS "RECIPIENT_ID",
  CAST(COALESCE("SCORES"."SCORE", 0) AS DECIMAL(18, 1)) AS "SCORE",
  "SCORES"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
  "RECIPIENTS"."OPTED_OUT" AS "OPTED_OUT",
  CASE
    WHEN "HELD"."MEMBER_NUMBER" IS NULL
    AND "HELD"."PLACE" = 1
    AND NOT COALESCE("HELD"."IS_HELD", FALSE)
    THEN "RECIPIENTS"."MEMBER_NUMBER"
    ELSE "HELD"."MEMBER_NUMBER"
  END AS "MEMBER_NUMBER"
FROM "CAMPAIGN"."RECIPIENT_LINKS" AS "LINKS"
INNER JOIN "CAMPAIGN"."RECIPIENTS" AS "RECIPIENTS"
  ON "LINKS"."RECIPIENT_ID" = "RECIPIENTS"."RECIPIENT_ID"
INNER JOIN "HELD" AS "HELD"
  ON "LINKS"."RECORD_KEY" = "HELD"."RECORD_KEY"
LEFT JOIN "CAMPAIGN"."ENGAGEMENT_SCORES" AS "SCORES"
  ON "LINKS"."RECIPIENT_ID" = "SCORES"."RECIPIENT_ID"
WHERE
  "LINKS"."ACCOUNT" = 'salesforce'
  AND "LINKS"."OBJECT" = 'Lead'
  AND NOT "LINKS"."IS_READ_ONLY"
  AND (
    NOT "SCORES"."RECIPIENT_ID" IS NULL OR "RECIPIENTS"."OPTED_OUT"
  );

-- unique_stg_salesforce_contact_record_key
SELECT
  "TESTED"."RECORD_KEY" AS "VALUE",
  COUNT(*) AS "COPIES"
FROM "STAGING"."STG_SALESFORCE_CONTACT" AS "TESTED"
WHERE
  NOT "TESTED"."RECORD_KEY" IS NULL
GROUP BY
  "TESTED"."RECORD_KEY"
HAVING
  COUNT(*) > 1;

-- not_null_export_salesforce_contact_recipient_id
SELECT
  "TESTED"."CRM_ID" AS "CRM_ID",
  "TESTED"."RECIPIENT_ID" AS "RECIPIENT_ID",
  "TESTED"."SCORE" AS "SCORE",
  "TESTED"."LAST_OPEN_AT" AS "LAST_OPEN_AT",
  "TESTED"."OPTED_OUT" AS "OPTED_OUT",
  "TESTED"."MEMBER_NUMBER" AS "MEMBER_NUMBER"
FROM "EXPORT"."EXPORT_SALESFORCE_CONTACT" AS "TESTED"
WHERE
  "TESTED"."RECIPIENT_ID" IS NULL;

-- accepted_values_stg_salesforce_contact_account
SELECT
  "TESTED"."ACCOUNT" AS "VALUE",
  COUNT(*) AS "COPIES"
FROM "STAGING"."STG_SALESFORCE_CONTACT" AS "TESTED"
WHERE
  NOT "TESTED"."ACCOUNT" IS NULL AND NOT "TESTED"."ACCOUNT" IN ('salesforce')
GROUP BY
  "TESTED"."ACCOUNT";

-- relationships_export_salesforce_contact_recipient_id
SELECT
  "CHILD"."VALUE" AS "VALUE"
FROM (
  SELECT
    "TESTED"."RECIPIENT_ID" AS "VALUE"
  FROM "EXPORT"."EXPORT_SALESFORCE_CONTACT" AS "TESTED"
) AS "CHILD"
WHERE
  NOT "CHILD"."VALUE" IS NULL
  AND NOT EXISTS(
    SELECT
      1 AS "1"
    FROM "CAMPAIGN"."RECIPIENTS" AS "PARENT"
    WHERE
      "PARENT"."RECIPIENT_ID" = "CHILD"."VALUE"
  );

