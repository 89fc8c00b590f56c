-- stg_departed
SELECT
  'salesforce:Contact:' || "of history"."id" AS "record_key",
  'salesforce' AS "account",
  'Contact' AS "object",
  "of history"."id" AS "record_id",
  MAX(CASE WHEN "of history"."version_rank" = 1 THEN "of history"."survivor_key" END) AS "survivor_key",
  MAX(CASE WHEN "of history"."version_rank" = 1 THEN "of history"."stamp" END) AS "departed_at",
  MAX(
    CASE
      WHEN "of history"."live_rank" = 1 AND NOT "of history"."is_deleted"
      THEN "of history"."email_key"
    END
  ) AS "email_key",
  CAST(COALESCE(
    max(
      "of history"."live_rank" = 1
      AND NOT "of history"."is_deleted"
      AND "of history"."opted_out"
    ),
    FALSE
  ) AS Nullable(Bool)) AS "opted_out"
FROM (
  SELECT
    "of salesforce__contact"."id" AS "id",
    "of salesforce__contact"."systemmodstamp" AS "stamp",
    CAST(COALESCE("of salesforce__contact"."_backhaul_deleted", FALSE) AS Nullable(Bool)) AS "is_deleted",
    CAST(COALESCE("of salesforce__contact"."_backhaul_deleted", FALSE) OR FALSE AS Nullable(Bool)) AS "is_gone",
    'salesforce:Contact:' || COALESCE("of salesforce__contact"."_backhaul_survivor", NULL) AS "survivor_key",
    CASE
      WHEN match(
        nullIf(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpOne(
                replaceRegexpAll(lowerUTF8("of salesforce__contact"."email"), '(?-s)\\s+', ''),
                '(?-s)^mailto:',
                ''
              ),
              '^[\\x{3C}\\x{28}]+',
              ''
            ),
            '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
            ''
          ),
          ''
        ),
        '(?-s)^[a-z0-9!#$%&''*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
      )
      THEN nullIf(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(lowerUTF8("of salesforce__contact"."email"), '(?-s)\\s+', ''),
              '(?-s)^mailto:',
              ''
            ),
            '^[\\x{3C}\\x{28}]+',
            ''
          ),
          '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
          ''
        ),
        ''
      )
    END AS "email_key",
    CAST(COALESCE("of salesforce__contact"."hasoptedoutofemail", FALSE) AS Nullable(Bool)) AS "opted_out",
    ROW_NUMBER() OVER (
      PARTITION BY "of salesforce__contact"."id"
      ORDER BY "of salesforce__contact"."systemmodstamp" DESC, "of salesforce__contact"."_backhaul_seen_at" DESC, "of salesforce__contact"."_dlt_load_id" DESC
    ) AS "version_rank",
    ROW_NUMBER() OVER (
      PARTITION BY "of salesforce__contact"."id", COALESCE("of salesforce__contact"."_backhaul_deleted", FALSE)
      ORDER BY "of salesforce__contact"."systemmodstamp" DESC, "of salesforce__contact"."_backhaul_seen_at" DESC, "of salesforce__contact"."_dlt_load_id" DESC
    ) AS "live_rank"
  FROM "raw"."salesforce__contact" AS "of salesforce__contact"
) AS "of history"
GROUP BY
  "of history"."id"
HAVING
  max("of history"."version_rank" = 1 AND "of history"."is_gone")
UNION ALL
SELECT
  'salesforce:Lead:' || "of history"."id" AS "record_key",
  'salesforce' AS "account",
  'Lead' AS "object",
  "of history"."id" AS "record_id",
  MAX(CASE WHEN "of history"."version_rank" = 1 THEN "of history"."survivor_key" END) AS "survivor_key",
  MAX(CASE WHEN "of history"."version_rank" = 1 THEN "of history"."stamp" END) AS "departed_at",
  MAX(
    CASE
      WHEN "of history"."live_rank" = 1 AND NOT "of history"."is_deleted"
      THEN "of history"."email_key"
    END
  ) AS "email_key",
  CAST(COALESCE(
    max(
      "of history"."live_rank" = 1
      AND NOT "of history"."is_deleted"
      AND "of history"."opted_out"
    ),
    FALSE
  ) AS Nullable(Bool)) AS "opted_out"
FROM (
  SELECT
    "of salesforce__lead"."id" AS "id",
    "of salesforce__lead"."systemmodstamp" AS "stamp",
    CAST(COALESCE("of salesforce__lead"."_backhaul_deleted", FALSE) AS Nullable(Bool)) AS "is_deleted",
    CAST(COALESCE("of salesforce__lead"."_backhaul_deleted", FALSE) OR FALSE AS Nullable(Bool)) AS "is_gone",
    'salesforce:Lead:' || COALESCE("of salesforce__lead"."_backhaul_survivor", NULL) AS "survivor_key",
    CASE
      WHEN match(
        nullIf(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpOne(
                replaceRegexpAll(lowerUTF8("of salesforce__lead"."email"), '(?-s)\\s+', ''),
                '(?-s)^mailto:',
                ''
              ),
              '^[\\x{3C}\\x{28}]+',
              ''
            ),
            '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
            ''
          ),
          ''
        ),
        '(?-s)^[a-z0-9!#$%&''*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
      )
      THEN nullIf(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(lowerUTF8("of salesforce__lead"."email"), '(?-s)\\s+', ''),
              '(?-s)^mailto:',
              ''
            ),
            '^[\\x{3C}\\x{28}]+',
            ''
          ),
          '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
          ''
        ),
        ''
      )
    END AS "email_key",
    CAST(COALESCE("of salesforce__lead"."hasoptedoutofemail", FALSE) AS Nullable(Bool)) AS "opted_out",
    ROW_NUMBER() OVER (
      PARTITION BY "of salesforce__lead"."id"
      ORDER BY "of salesforce__lead"."systemmodstamp" DESC, "of salesforce__lead"."_backhaul_seen_at" DESC, "of salesforce__lead"."_dlt_load_id" DESC
    ) AS "version_rank",
    ROW_NUMBER() OVER (
      PARTITION BY "of salesforce__lead"."id", COALESCE("of salesforce__lead"."_backhaul_deleted", FALSE)
      ORDER BY "of salesforce__lead"."systemmodstamp" DESC, "of salesforce__lead"."_backhaul_seen_at" DESC, "of salesforce__lead"."_dlt_load_id" DESC
    ) AS "live_rank"
  FROM "raw"."salesforce__lead" AS "of salesforce__lead"
) AS "of history"
GROUP BY
  "of history"."id"
HAVING
  max("of history"."version_rank" = 1 AND "of history"."is_gone")
UNION ALL
SELECT
  'dynamics:contact:' || "of history"."contactid" AS "record_key",
  'dynamics' AS "account",
  'contact' AS "object",
  "of history"."contactid" AS "record_id",
  MAX(CASE WHEN "of history"."version_rank" = 1 THEN "of history"."survivor_key" END) AS "survivor_key",
  MAX(CASE WHEN "of history"."version_rank" = 1 THEN "of history"."stamp" END) AS "departed_at",
  MAX(
    CASE
      WHEN "of history"."live_rank" = 1 AND NOT "of history"."is_deleted"
      THEN "of history"."email_key"
    END
  ) AS "email_key",
  CAST(COALESCE(
    max(
      "of history"."live_rank" = 1
      AND NOT "of history"."is_deleted"
      AND "of history"."opted_out"
    ),
    FALSE
  ) AS Nullable(Bool)) AS "opted_out"
FROM (
  SELECT
    "of dynamics__contact"."contactid" AS "contactid",
    "of dynamics__contact"."modifiedon" AS "stamp",
    CAST(COALESCE("of dynamics__contact"."_backhaul_deleted", FALSE) AS Nullable(Bool)) AS "is_deleted",
    CAST(COALESCE("of dynamics__contact"."_backhaul_deleted", FALSE)
    OR COALESCE("of dynamics__contact"."merged", FALSE) AS Nullable(Bool)) AS "is_gone",
    'dynamics:contact:' || COALESCE("of dynamics__contact"."_backhaul_survivor", "of dynamics__contact"."masterid") AS "survivor_key",
    CASE
      WHEN match(
        nullIf(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpOne(
                replaceRegexpAll(lowerUTF8("of dynamics__contact"."emailaddress1"), '(?-s)\\s+', ''),
                '(?-s)^mailto:',
                ''
              ),
              '^[\\x{3C}\\x{28}]+',
              ''
            ),
            '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
            ''
          ),
          ''
        ),
        '(?-s)^[a-z0-9!#$%&''*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
      )
      THEN nullIf(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(lowerUTF8("of dynamics__contact"."emailaddress1"), '(?-s)\\s+', ''),
              '(?-s)^mailto:',
              ''
            ),
            '^[\\x{3C}\\x{28}]+',
            ''
          ),
          '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
          ''
        ),
        ''
      )
    END AS "email_key",
    CAST(COALESCE(
      "of dynamics__contact"."donotbulkemail" OR "of dynamics__contact"."donotemail",
      FALSE
    ) AS Nullable(Bool)) AS "opted_out",
    ROW_NUMBER() OVER (
      PARTITION BY "of dynamics__contact"."contactid"
      ORDER BY "of dynamics__contact"."modifiedon" DESC, "of dynamics__contact"."_backhaul_seen_at" DESC, "of dynamics__contact"."_dlt_load_id" DESC
    ) AS "version_rank",
    ROW_NUMBER() OVER (
      PARTITION BY "of dynamics__contact"."contactid", COALESCE("of dynamics__contact"."_backhaul_deleted", FALSE)
      ORDER BY "of dynamics__contact"."modifiedon" DESC, "of dynamics__contact"."_backhaul_seen_at" DESC, "of dynamics__contact"."_dlt_load_id" DESC
    ) AS "live_rank"
  FROM "raw"."dynamics__contact" AS "of dynamics__contact"
) AS "of history"
GROUP BY
  "of history"."contactid"
HAVING
  max("of history"."version_rank" = 1 AND "of history"."is_gone")
UNION ALL
SELECT
  'dynamics:lead:' || "of history"."leadid" AS "record_key",
  'dynamics' AS "account",
  'lead' AS "object",
  "of history"."leadid" AS "record_id",
  MAX(CASE WHEN "of history"."version_rank" = 1 THEN "of history"."survivor_key" END) AS "survivor_key",
  MAX(CASE WHEN "of history"."version_rank" = 1 THEN "of history"."stamp" END) AS "departed_at",
  MAX(
    CASE
      WHEN "of history"."live_rank" = 1 AND NOT "of history"."is_deleted"
      THEN "of history"."email_key"
    END
  ) AS "email_key",
  CAST(COALESCE(
    max(
      "of history"."live_rank" = 1
      AND NOT "of history"."is_deleted"
      AND "of history"."opted_out"
    ),
    FALSE
  ) AS Nullable(Bool)) AS "opted_out"
FROM (
  SELECT
    "of dynamics__lead"."leadid" AS "leadid",
    "of dynamics__lead"."modifiedon" AS "stamp",
    CAST(COALESCE("of dynamics__lead"."_backhaul_deleted", FALSE) AS Nullable(Bool)) AS "is_deleted",
    CAST(COALESCE("of dynamics__lead"."_backhaul_deleted", FALSE) OR FALSE AS Nullable(Bool)) AS "is_gone",
    'dynamics:lead:' || COALESCE("of dynamics__lead"."_backhaul_survivor", NULL) AS "survivor_key",
    CASE
      WHEN match(
        nullIf(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpOne(
                replaceRegexpAll(lowerUTF8("of dynamics__lead"."emailaddress1"), '(?-s)\\s+', ''),
                '(?-s)^mailto:',
                ''
              ),
              '^[\\x{3C}\\x{28}]+',
              ''
            ),
            '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
            ''
          ),
          ''
        ),
        '(?-s)^[a-z0-9!#$%&''*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
      )
      THEN nullIf(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(lowerUTF8("of dynamics__lead"."emailaddress1"), '(?-s)\\s+', ''),
              '(?-s)^mailto:',
              ''
            ),
            '^[\\x{3C}\\x{28}]+',
            ''
          ),
          '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
          ''
        ),
        ''
      )
    END AS "email_key",
    CAST(COALESCE("of dynamics__lead"."donotbulkemail", FALSE) AS Nullable(Bool)) AS "opted_out",
    ROW_NUMBER() OVER (
      PARTITION BY "of dynamics__lead"."leadid"
      ORDER BY "of dynamics__lead"."modifiedon" DESC, "of dynamics__lead"."_backhaul_seen_at" DESC, "of dynamics__lead"."_dlt_load_id" DESC
    ) AS "version_rank",
    ROW_NUMBER() OVER (
      PARTITION BY "of dynamics__lead"."leadid", COALESCE("of dynamics__lead"."_backhaul_deleted", FALSE)
      ORDER BY "of dynamics__lead"."modifiedon" DESC, "of dynamics__lead"."_backhaul_seen_at" DESC, "of dynamics__lead"."_dlt_load_id" DESC
    ) AS "live_rank"
  FROM "raw"."dynamics__lead" AS "of dynamics__lead"
) AS "of history"
GROUP BY
  "of history"."leadid"
HAVING
  max("of history"."version_rank" = 1 AND "of history"."is_gone");

-- stg_dynamics_contact
WITH "versions" AS (
  SELECT
    "of dynamics__contact"."contactid" AS "record_id",
    "of dynamics__contact"."salutation" AS "salutation",
    "of dynamics__contact"."firstname" AS "first_name",
    "of dynamics__contact"."lastname" AS "last_name",
    "of dynamics__contact"."emailaddress1" AS "email",
    "of dynamics__contact"."telephone1" AS "phone",
    "of dynamics__contact"."mobilephone" AS "mobile_phone",
    substringUTF8(
      '' || COALESCE('\n' || "of dynamics__contact"."address1_line1", '') || COALESCE('\n' || "of dynamics__contact"."address1_line2", ''),
      lengthUTF8('\n') + 1
    ) AS "street",
    "of dynamics__contact"."address1_city" AS "city",
    "of dynamics__contact"."address1_stateorprovince" AS "state",
    "of dynamics__contact"."address1_postalcode" AS "postal_code",
    "of dynamics__contact"."address1_country" AS "country",
    CAST(NULL AS Nullable(String)) AS "company",
    "of dynamics__contact"."jobtitle" AS "job_title",
    CAST(NULL AS Nullable(String)) AS "lead_source",
    "of dynamics__contact"."birthdate" AS "birth_date",
    CAST(COALESCE("of dynamics__contact"."donotbulkemail", FALSE)
    OR COALESCE("of dynamics__contact"."donotemail", FALSE) AS Nullable(Bool)) AS "opted_out",
    "of dynamics__contact"."donotphone" AS "do_not_call",
    "of dynamics__contact"."new_membernumber" AS "member_number",
    CAST("of dynamics__contact"."new_campaignscore" AS Nullable(Decimal(5, 1))) AS "campaign_score",
    "of dynamics__contact"."new_lastopen" AS "last_open_at",
    CAST(NULL AS Nullable(String)) AS "converted_to_id",
    CAST(COALESCE("of dynamics__contact"."merged", FALSE) AS Nullable(Bool)) AS "is_merged",
    CAST(FALSE AS Nullable(Bool)) AS "is_read_only",
    "of dynamics__contact"."createdon" AS "created_at",
    "of dynamics__contact"."modifiedon" AS "modified_at",
    CAST(COALESCE("of dynamics__contact"."_backhaul_deleted", FALSE) AS Nullable(Bool)) AS "is_deleted",
    "of dynamics__contact"."_backhaul_survivor" AS "survivor_id",
    ROW_NUMBER() OVER (
      PARTITION BY "of dynamics__contact"."contactid"
      ORDER BY "of dynamics__contact"."modifiedon" DESC, "of dynamics__contact"."_backhaul_seen_at" DESC, "of dynamics__contact"."_dlt_load_id" DESC
    ) AS "version_rank",
    "of dynamics__contact"."_backhaul_seen_at" AS "seen_at",
    lower(
      hex(
        MD5(
          substringUTF8(
            '' || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."salutation" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."firstname" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."lastname" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."emailaddress1" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."telephone1" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."mobilephone" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."address1_line1" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."address1_line2" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."address1_city" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(
                CAST("of dynamics__contact"."address1_stateorprovince" AS Nullable(String)),
                '\x1e'
              ),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."address1_postalcode" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."address1_country" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."jobtitle" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."department" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__contact"."birthdate" AS Nullable(String)), '\x1e'),
              ''
            ),
            lengthUTF8('\x1f') + 1
          )
        )
      )
    ) AS "content_mark",
    lag(
      toNullable(
        lower(
          hex(
            MD5(
              substringUTF8(
                '' || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."salutation" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."firstname" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."lastname" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."emailaddress1" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."telephone1" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."mobilephone" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."address1_line1" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."address1_line2" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."address1_city" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(
                    CAST("of dynamics__contact"."address1_stateorprovince" AS Nullable(String)),
                    '\x1e'
                  ),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."address1_postalcode" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."address1_country" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."jobtitle" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."department" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__contact"."birthdate" AS Nullable(String)), '\x1e'),
                  ''
                ),
                lengthUTF8('\x1f') + 1
              )
            )
          )
        )
      )
    ) OVER (
      PARTITION BY "of dynamics__contact"."contactid"
      ORDER BY "of dynamics__contact"."modifiedon" ASC NULLS FIRST, "of dynamics__contact"."_backhaul_seen_at" ASC, "of dynamics__contact"."_dlt_load_id" ASC
    ) AS "content_mark_before",
    COALESCE("of dynamics__contact"."emailaddress1", '') AS "email_mark",
    lag(toNullable(COALESCE("of dynamics__contact"."emailaddress1", ''))) OVER (
      PARTITION BY "of dynamics__contact"."contactid"
      ORDER BY "of dynamics__contact"."modifiedon" ASC NULLS FIRST, "of dynamics__contact"."_backhaul_seen_at" ASC, "of dynamics__contact"."_dlt_load_id" ASC
    ) AS "email_mark_before"
  FROM "raw"."dynamics__contact" AS "of dynamics__contact"
), "newest" AS (
  SELECT
    "of versions"."record_id" AS "record_id",
    "of versions"."salutation" AS "salutation",
    "of versions"."first_name" AS "first_name",
    "of versions"."last_name" AS "last_name",
    "of versions"."email" AS "email",
    "of versions"."phone" AS "phone",
    "of versions"."mobile_phone" AS "mobile_phone",
    "of versions"."street" AS "street",
    "of versions"."city" AS "city",
    "of versions"."state" AS "state",
    "of versions"."postal_code" AS "postal_code",
    "of versions"."country" AS "country",
    "of versions"."company" AS "company",
    "of versions"."job_title" AS "job_title",
    "of versions"."lead_source" AS "lead_source",
    "of versions"."birth_date" AS "birth_date",
    "of versions"."opted_out" AS "opted_out",
    "of versions"."do_not_call" AS "do_not_call",
    "of versions"."member_number" AS "member_number",
    "of versions"."campaign_score" AS "campaign_score",
    "of versions"."last_open_at" AS "last_open_at",
    "of versions"."converted_to_id" AS "converted_to_id",
    "of versions"."is_merged" AS "is_merged",
    "of versions"."is_read_only" AS "is_read_only",
    "of versions"."created_at" AS "created_at",
    "of versions"."modified_at" AS "modified_at",
    "of versions"."is_deleted" AS "is_deleted",
    "of versions"."survivor_id" AS "survivor_id",
    "of versions"."version_rank" AS "version_rank",
    "of versions"."seen_at" AS "seen_at",
    "of versions"."content_mark" AS "content_mark",
    "of versions"."content_mark_before" AS "content_mark_before",
    "of versions"."email_mark" AS "email_mark",
    "of versions"."email_mark_before" AS "email_mark_before",
    MAX(
      CASE
        WHEN "of versions"."content_mark" IS DISTINCT FROM "of versions"."content_mark_before"
        THEN "of versions"."modified_at"
      END
    ) OVER (PARTITION BY "of versions"."record_id") AS "content_changed_at",
    MAX(
      CASE
        WHEN "of versions"."email_mark" IS DISTINCT FROM "of versions"."email_mark_before"
        THEN "of versions"."modified_at"
      END
    ) OVER (PARTITION BY "of versions"."record_id") AS "email_changed_at",
    MIN("of versions"."seen_at") OVER (PARTITION BY "of versions"."record_id") AS "first_seen_at"
  FROM "versions" AS "of versions"
)
SELECT
  'dynamics:contact:' || "of newest"."record_id" AS "record_key",
  'dynamics' AS "account",
  'contact' AS "object",
  "of newest"."record_id" AS "record_id",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."salutation",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "salutation",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll("of newest"."first_name", '(?-s)\\s+', ' '),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "first_name",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll("of newest"."last_name", '(?-s)\\s+', ' '),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "last_name",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpAll(lowerUTF8("of newest"."email"), '(?-s)\\s+', ''),
          '(?-s)^mailto:',
          ''
        ),
        '^[\\x{3C}\\x{28}]+',
        ''
      ),
      '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
      ''
    ),
    ''
  ) AS "email",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."phone",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "phone",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."mobile_phone",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "mobile_phone",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."street",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "street",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."city",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "city",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."state",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "state",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."postal_code",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "postal_code",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."country",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "country",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."company",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "company",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."job_title",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "job_title",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."lead_source",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "lead_source",
  CASE
    WHEN "of newest"."birth_date" > CAST('1900-01-01' AS Nullable(Date32))
    AND "of newest"."birth_date" <> CAST('1970-01-01' AS Nullable(Date32))
    AND "of newest"."birth_date" < CAST('2100-01-01' AS Nullable(Date32))
    THEN "of newest"."birth_date"
  END AS "birth_date",
  CAST(COALESCE("of newest"."opted_out", FALSE) AS Nullable(Bool)) AS "opted_out",
  CAST(COALESCE("of newest"."do_not_call", FALSE) AS Nullable(Bool)) AS "do_not_call",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."member_number",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "member_number",
  "of newest"."campaign_score" AS "campaign_score",
  "of newest"."last_open_at" AS "last_open_at",
  "of newest"."converted_to_id" AS "converted_to_id",
  "of newest"."is_read_only" AS "is_read_only",
  "of newest"."created_at" AS "created_at",
  "of newest"."modified_at" AS "modified_at",
  "of newest"."content_changed_at" AS "content_changed_at",
  "of newest"."email_changed_at" AS "email_changed_at",
  "of newest"."first_seen_at" AS "first_seen_at",
  "of newest"."seen_at" AS "seen_at",
  CASE
    WHEN match(
      nullIf(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(lowerUTF8("of newest"."email"), '(?-s)\\s+', ''),
              '(?-s)^mailto:',
              ''
            ),
            '^[\\x{3C}\\x{28}]+',
            ''
          ),
          '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
          ''
        ),
        ''
      ),
      '(?-s)^[a-z0-9!#$%&''*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    )
    THEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(lowerUTF8("of newest"."email"), '(?-s)\\s+', ''),
            '(?-s)^mailto:',
            ''
          ),
          '^[\\x{3C}\\x{28}]+',
          ''
        ),
        '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
        ''
      ),
      ''
    )
  END AS "email_key",
  CASE
    WHEN lengthUTF8(
      replaceRegexpOne(
        CASE
          WHEN match(
            replaceRegexpOne(
              replaceRegexpOne(
                REPLACE(
                  replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                ''
              ),
              '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
              ''
            ),
            '(?-s)^(\\(?\\+|00)'
          )
          THEN replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            ),
            '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          )
        END,
        '^[\\x{30}]+',
        ''
      )
    ) >= 6
    AND lengthUTF8(
      REPLACE(
        replaceRegexpOne(
          CASE
            WHEN match(
              replaceRegexpOne(
                replaceRegexpOne(
                  REPLACE(
                    replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                  ''
                ),
                '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                ''
              ),
              '(?-s)^(\\(?\\+|00)'
            )
            THEN replaceRegexpOne(
              replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              ),
              '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            )
          END,
          '^[\\x{30}]+',
          ''
        ),
        substringUTF8(
          replaceRegexpOne(
            CASE
              WHEN match(
                replaceRegexpOne(
                  replaceRegexpOne(
                    REPLACE(
                      replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                      '(0)',
                      ''
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                  ''
                ),
                '(?-s)^(\\(?\\+|00)'
              )
              THEN replaceRegexpOne(
                replaceRegexpOne(
                  replaceRegexpAll(
                    REPLACE(
                      replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                      '(0)',
                      ''
                    ),
                    '(?-s)[^0-9]',
                    ''
                  ),
                  '^[\\x{30}]+',
                  ''
                ),
                '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              )
            END,
            '^[\\x{30}]+',
            ''
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN replaceRegexpOne(
      CASE
        WHEN match(
          replaceRegexpOne(
            replaceRegexpOne(
              REPLACE(
                replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
              ''
            ),
            '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
            ''
          ),
          '(?-s)^(\\(?\\+|00)'
        )
        THEN replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          ),
          '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '(?-s)[^0-9]',
            ''
          ),
          '^[\\x{30}]+',
          ''
        )
      END,
      '^[\\x{30}]+',
      ''
    )
  END AS "phone_key",
  CASE
    WHEN lengthUTF8(
      replaceRegexpOne(
        CASE
          WHEN match(
            replaceRegexpOne(
              replaceRegexpOne(
                REPLACE(
                  replaceRegexpOne(
                    lowerUTF8("of newest"."mobile_phone"),
                    '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                ''
              ),
              '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
              ''
            ),
            '(?-s)^(\\(?\\+|00)'
          )
          THEN replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(
                    lowerUTF8("of newest"."mobile_phone"),
                    '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            ),
            '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(
                  lowerUTF8("of newest"."mobile_phone"),
                  '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          )
        END,
        '^[\\x{30}]+',
        ''
      )
    ) >= 6
    AND lengthUTF8(
      REPLACE(
        replaceRegexpOne(
          CASE
            WHEN match(
              replaceRegexpOne(
                replaceRegexpOne(
                  REPLACE(
                    replaceRegexpOne(
                      lowerUTF8("of newest"."mobile_phone"),
                      '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                  ''
                ),
                '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                ''
              ),
              '(?-s)^(\\(?\\+|00)'
            )
            THEN replaceRegexpOne(
              replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(
                      lowerUTF8("of newest"."mobile_phone"),
                      '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              ),
              '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(
                    lowerUTF8("of newest"."mobile_phone"),
                    '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            )
          END,
          '^[\\x{30}]+',
          ''
        ),
        substringUTF8(
          replaceRegexpOne(
            CASE
              WHEN match(
                replaceRegexpOne(
                  replaceRegexpOne(
                    REPLACE(
                      replaceRegexpOne(
                        lowerUTF8("of newest"."mobile_phone"),
                        '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                        ''
                      ),
                      '(0)',
                      ''
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                  ''
                ),
                '(?-s)^(\\(?\\+|00)'
              )
              THEN replaceRegexpOne(
                replaceRegexpOne(
                  replaceRegexpAll(
                    REPLACE(
                      replaceRegexpOne(
                        lowerUTF8("of newest"."mobile_phone"),
                        '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                        ''
                      ),
                      '(0)',
                      ''
                    ),
                    '(?-s)[^0-9]',
                    ''
                  ),
                  '^[\\x{30}]+',
                  ''
                ),
                '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(
                      lowerUTF8("of newest"."mobile_phone"),
                      '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              )
            END,
            '^[\\x{30}]+',
            ''
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN replaceRegexpOne(
      CASE
        WHEN match(
          replaceRegexpOne(
            replaceRegexpOne(
              REPLACE(
                replaceRegexpOne(
                  lowerUTF8("of newest"."mobile_phone"),
                  '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
              ''
            ),
            '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
            ''
          ),
          '(?-s)^(\\(?\\+|00)'
        )
        THEN replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(
                  lowerUTF8("of newest"."mobile_phone"),
                  '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          ),
          '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              replaceRegexpOne(
                lowerUTF8("of newest"."mobile_phone"),
                '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '(?-s)[^0-9]',
            ''
          ),
          '^[\\x{30}]+',
          ''
        )
      END,
      '^[\\x{30}]+',
      ''
    )
  END AS "mobile_key",
  CASE
    WHEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              REPLACE(
                REPLACE(
                  translateUTF8(
                    normalizeUTF8NFC(
                      replaceRegexpAll(
                        normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                        '\\p{M}+',
                        ''
                      )
                    ),
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
            '(?-s)[^\\p{L}\\p{N}]+',
            ' '
          ),
          '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
          ''
        ),
        '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
        ''
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
    ELSE nullIf(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              nullIf(
                replaceRegexpOne(
                  replaceRegexpOne(
                    replaceRegexpAll(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            translateUTF8(
                              normalizeUTF8NFC(
                                replaceRegexpAll(
                                  normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                                  '\\p{M}+',
                                  ''
                                )
                              ),
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
                      '(?-s)[^\\p{L}\\p{N}]+',
                      ' '
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
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
        ''
      ),
      ''
    )
  END AS "given_key",
  nullIf(
    if(
      REPLACE(
        REPLACE(
          REPLACE(
            COALESCE(
              nullIf(
                replaceRegexpOne(
                  replaceRegexpOne(
                    replaceRegexpAll(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            translateUTF8(
                              normalizeUTF8NFC(
                                replaceRegexpAll(
                                  normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                                  '\\p{M}+',
                                  ''
                                )
                              ),
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
                      '(?-s)[^\\p{L}\\p{N}]+',
                      ' '
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                  ''
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
      ) IS NULL,
      NULL,
      arrayElement(
        splitByString(
          ' ',
          assumeNotNull(
            REPLACE(
              REPLACE(
                REPLACE(
                  COALESCE(
                    nullIf(
                      replaceRegexpOne(
                        replaceRegexpOne(
                          replaceRegexpAll(
                            REPLACE(
                              REPLACE(
                                REPLACE(
                                  translateUTF8(
                                    normalizeUTF8NFC(
                                      replaceRegexpAll(
                                        normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                                        '\\p{M}+',
                                        ''
                                      )
                                    ),
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
                            '(?-s)[^\\p{L}\\p{N}]+',
                            ' '
                          ),
                          '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                          ''
                        ),
                        '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                        ''
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
            )
          )
        ),
        1
      )
    ),
    ''
  ) AS "given_first_key",
  CASE
    WHEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              REPLACE(
                REPLACE(
                  translateUTF8(
                    normalizeUTF8NFC(
                      replaceRegexpAll(
                        normalizeUTF8NFD(lowerUTF8(CAST("of newest"."last_name" AS Nullable(String)))),
                        '\\p{M}+',
                        ''
                      )
                    ),
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
            '(?-s)[^\\p{L}\\p{N}]+',
            ' '
          ),
          '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
          ''
        ),
        '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
        ''
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
    ELSE nullIf(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              nullIf(
                replaceRegexpOne(
                  replaceRegexpOne(
                    replaceRegexpAll(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            translateUTF8(
                              normalizeUTF8NFC(
                                replaceRegexpAll(
                                  normalizeUTF8NFD(lowerUTF8(CAST("of newest"."last_name" AS Nullable(String)))),
                                  '\\p{M}+',
                                  ''
                                )
                              ),
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
                      '(?-s)[^\\p{L}\\p{N}]+',
                      ' '
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
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
        ''
      ),
      ''
    )
  END AS "surname_key",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll(
          replaceRegexpAll(
            replaceRegexpAll(
              replaceRegexpAll(
                ' ' || COALESCE(
                  nullIf(
                    replaceRegexpOne(
                      replaceRegexpOne(
                        replaceRegexpAll(
                          REPLACE(
                            REPLACE(
                              REPLACE(
                                translateUTF8(
                                  normalizeUTF8NFC(
                                    replaceRegexpAll(
                                      normalizeUTF8NFD(lowerUTF8(CAST("of newest"."street" AS Nullable(String)))),
                                      '\\p{M}+',
                                      ''
                                    )
                                  ),
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
                          '(?-s)[^\\p{L}\\p{N}]+',
                          ' '
                        ),
                        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                        ''
                      ),
                      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                      ''
                    ),
                    ''
                  ),
                  ''
                ) || ' ',
                '(?-s)(strasse|str) ',
                'st '
              ),
              '(?-s) (street|saint|sankt) ',
              ' st '
            ),
            '(?-s) road ',
            ' rd '
          ),
          '(?-s) (avenue|av) ',
          ' ave '
        ),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "street_key",
  nullIf(
    replaceRegexpOne(extract("of newest"."street", '(?-s)[0-9]+'), '^[\\x{30}]+', ''),
    ''
  ) AS "house_key",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll(
          REPLACE(
            REPLACE(
              REPLACE(
                translateUTF8(
                  normalizeUTF8NFC(
                    replaceRegexpAll(
                      normalizeUTF8NFD(lowerUTF8(CAST("of newest"."city" AS Nullable(String)))),
                      '\\p{M}+',
                      ''
                    )
                  ),
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
          '(?-s)[^\\p{L}\\p{N}]+',
          ' '
        ),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "city_key",
  nullIf(replaceRegexpAll(upperUTF8("of newest"."postal_code"), '(?-s)[^A-Z0-9]', ''), '') AS "postcode_key"
FROM "newest" AS "of newest"
WHERE
  "of newest"."version_rank" = 1
  AND NOT "of newest"."is_deleted"
  AND NOT "of newest"."is_merged";

-- stg_dynamics_lead
WITH "versions" AS (
  SELECT
    "of dynamics__lead"."leadid" AS "record_id",
    "of dynamics__lead"."salutation" AS "salutation",
    "of dynamics__lead"."firstname" AS "first_name",
    "of dynamics__lead"."lastname" AS "last_name",
    "of dynamics__lead"."emailaddress1" AS "email",
    "of dynamics__lead"."telephone1" AS "phone",
    "of dynamics__lead"."mobilephone" AS "mobile_phone",
    substringUTF8(
      '' || COALESCE('\n' || "of dynamics__lead"."address1_line1", '') || COALESCE('\n' || "of dynamics__lead"."address1_line2", ''),
      lengthUTF8('\n') + 1
    ) AS "street",
    "of dynamics__lead"."address1_city" AS "city",
    "of dynamics__lead"."address1_stateorprovince" AS "state",
    "of dynamics__lead"."address1_postalcode" AS "postal_code",
    "of dynamics__lead"."address1_country" AS "country",
    "of dynamics__lead"."companyname" AS "company",
    "of dynamics__lead"."jobtitle" AS "job_title",
    CAST("of dynamics__lead"."leadsourcecode" AS Nullable(String)) AS "lead_source",
    CAST(NULL AS Nullable(Date32)) AS "birth_date",
    "of dynamics__lead"."donotbulkemail" AS "opted_out",
    CAST(FALSE AS Nullable(Bool)) AS "do_not_call",
    "of dynamics__lead"."new_membernumber" AS "member_number",
    CAST("of dynamics__lead"."new_campaignscore" AS Nullable(Decimal(5, 1))) AS "campaign_score",
    "of dynamics__lead"."new_lastopen" AS "last_open_at",
    CAST(NULL AS Nullable(String)) AS "converted_to_id",
    CAST(FALSE AS Nullable(Bool)) AS "is_read_only",
    "of dynamics__lead"."createdon" AS "created_at",
    "of dynamics__lead"."modifiedon" AS "modified_at",
    CAST(COALESCE("of dynamics__lead"."_backhaul_deleted", FALSE) AS Nullable(Bool)) AS "is_deleted",
    "of dynamics__lead"."_backhaul_survivor" AS "survivor_id",
    ROW_NUMBER() OVER (
      PARTITION BY "of dynamics__lead"."leadid"
      ORDER BY "of dynamics__lead"."modifiedon" DESC, "of dynamics__lead"."_backhaul_seen_at" DESC, "of dynamics__lead"."_dlt_load_id" DESC
    ) AS "version_rank",
    "of dynamics__lead"."_backhaul_seen_at" AS "seen_at",
    lower(
      hex(
        MD5(
          substringUTF8(
            '' || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."salutation" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."firstname" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."lastname" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."emailaddress1" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."telephone1" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."mobilephone" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."address1_line1" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."address1_line2" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."address1_city" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."address1_stateorprovince" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."address1_postalcode" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."address1_country" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."jobtitle" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of dynamics__lead"."companyname" AS Nullable(String)), '\x1e'),
              ''
            ),
            lengthUTF8('\x1f') + 1
          )
        )
      )
    ) AS "content_mark",
    lag(
      toNullable(
        lower(
          hex(
            MD5(
              substringUTF8(
                '' || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."salutation" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."firstname" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."lastname" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."emailaddress1" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."telephone1" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."mobilephone" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."address1_line1" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."address1_line2" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."address1_city" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."address1_stateorprovince" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."address1_postalcode" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."address1_country" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."jobtitle" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of dynamics__lead"."companyname" AS Nullable(String)), '\x1e'),
                  ''
                ),
                lengthUTF8('\x1f') + 1
              )
            )
          )
        )
      )
    ) OVER (
      PARTITION BY "of dynamics__lead"."leadid"
      ORDER BY "of dynamics__lead"."modifiedon" ASC NULLS FIRST, "of dynamics__lead"."_backhaul_seen_at" ASC, "of dynamics__lead"."_dlt_load_id" ASC
    ) AS "content_mark_before",
    COALESCE("of dynamics__lead"."emailaddress1", '') AS "email_mark",
    lag(toNullable(COALESCE("of dynamics__lead"."emailaddress1", ''))) OVER (
      PARTITION BY "of dynamics__lead"."leadid"
      ORDER BY "of dynamics__lead"."modifiedon" ASC NULLS FIRST, "of dynamics__lead"."_backhaul_seen_at" ASC, "of dynamics__lead"."_dlt_load_id" ASC
    ) AS "email_mark_before"
  FROM "raw"."dynamics__lead" AS "of dynamics__lead"
), "newest" AS (
  SELECT
    "of versions"."record_id" AS "record_id",
    "of versions"."salutation" AS "salutation",
    "of versions"."first_name" AS "first_name",
    "of versions"."last_name" AS "last_name",
    "of versions"."email" AS "email",
    "of versions"."phone" AS "phone",
    "of versions"."mobile_phone" AS "mobile_phone",
    "of versions"."street" AS "street",
    "of versions"."city" AS "city",
    "of versions"."state" AS "state",
    "of versions"."postal_code" AS "postal_code",
    "of versions"."country" AS "country",
    "of versions"."company" AS "company",
    "of versions"."job_title" AS "job_title",
    "of versions"."lead_source" AS "lead_source",
    "of versions"."birth_date" AS "birth_date",
    "of versions"."opted_out" AS "opted_out",
    "of versions"."do_not_call" AS "do_not_call",
    "of versions"."member_number" AS "member_number",
    "of versions"."campaign_score" AS "campaign_score",
    "of versions"."last_open_at" AS "last_open_at",
    "of versions"."converted_to_id" AS "converted_to_id",
    "of versions"."is_read_only" AS "is_read_only",
    "of versions"."created_at" AS "created_at",
    "of versions"."modified_at" AS "modified_at",
    "of versions"."is_deleted" AS "is_deleted",
    "of versions"."survivor_id" AS "survivor_id",
    "of versions"."version_rank" AS "version_rank",
    "of versions"."seen_at" AS "seen_at",
    "of versions"."content_mark" AS "content_mark",
    "of versions"."content_mark_before" AS "content_mark_before",
    "of versions"."email_mark" AS "email_mark",
    "of versions"."email_mark_before" AS "email_mark_before",
    MAX(
      CASE
        WHEN "of versions"."content_mark" IS DISTINCT FROM "of versions"."content_mark_before"
        THEN "of versions"."modified_at"
      END
    ) OVER (PARTITION BY "of versions"."record_id") AS "content_changed_at",
    MAX(
      CASE
        WHEN "of versions"."email_mark" IS DISTINCT FROM "of versions"."email_mark_before"
        THEN "of versions"."modified_at"
      END
    ) OVER (PARTITION BY "of versions"."record_id") AS "email_changed_at",
    MIN("of versions"."seen_at") OVER (PARTITION BY "of versions"."record_id") AS "first_seen_at"
  FROM "versions" AS "of versions"
)
SELECT
  'dynamics:lead:' || "of newest"."record_id" AS "record_key",
  'dynamics' AS "account",
  'lead' AS "object",
  "of newest"."record_id" AS "record_id",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."salutation",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "salutation",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll("of newest"."first_name", '(?-s)\\s+', ' '),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "first_name",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll("of newest"."last_name", '(?-s)\\s+', ' '),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "last_name",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpAll(lowerUTF8("of newest"."email"), '(?-s)\\s+', ''),
          '(?-s)^mailto:',
          ''
        ),
        '^[\\x{3C}\\x{28}]+',
        ''
      ),
      '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
      ''
    ),
    ''
  ) AS "email",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."phone",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "phone",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."mobile_phone",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "mobile_phone",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."street",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "street",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."city",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "city",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."state",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "state",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."postal_code",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "postal_code",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."country",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "country",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."company",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "company",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."job_title",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "job_title",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."lead_source",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "lead_source",
  CASE
    WHEN "of newest"."birth_date" > CAST('1900-01-01' AS Nullable(Date32))
    AND "of newest"."birth_date" <> CAST('1970-01-01' AS Nullable(Date32))
    AND "of newest"."birth_date" < CAST('2100-01-01' AS Nullable(Date32))
    THEN "of newest"."birth_date"
  END AS "birth_date",
  CAST(COALESCE("of newest"."opted_out", FALSE) AS Nullable(Bool)) AS "opted_out",
  CAST(COALESCE("of newest"."do_not_call", FALSE) AS Nullable(Bool)) AS "do_not_call",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."member_number",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "member_number",
  "of newest"."campaign_score" AS "campaign_score",
  "of newest"."last_open_at" AS "last_open_at",
  "of newest"."converted_to_id" AS "converted_to_id",
  "of newest"."is_read_only" AS "is_read_only",
  "of newest"."created_at" AS "created_at",
  "of newest"."modified_at" AS "modified_at",
  "of newest"."content_changed_at" AS "content_changed_at",
  "of newest"."email_changed_at" AS "email_changed_at",
  "of newest"."first_seen_at" AS "first_seen_at",
  "of newest"."seen_at" AS "seen_at",
  CASE
    WHEN match(
      nullIf(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(lowerUTF8("of newest"."email"), '(?-s)\\s+', ''),
              '(?-s)^mailto:',
              ''
            ),
            '^[\\x{3C}\\x{28}]+',
            ''
          ),
          '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
          ''
        ),
        ''
      ),
      '(?-s)^[a-z0-9!#$%&''*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    )
    THEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(lowerUTF8("of newest"."email"), '(?-s)\\s+', ''),
            '(?-s)^mailto:',
            ''
          ),
          '^[\\x{3C}\\x{28}]+',
          ''
        ),
        '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
        ''
      ),
      ''
    )
  END AS "email_key",
  CASE
    WHEN lengthUTF8(
      replaceRegexpOne(
        CASE
          WHEN match(
            replaceRegexpOne(
              replaceRegexpOne(
                REPLACE(
                  replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                ''
              ),
              '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
              ''
            ),
            '(?-s)^(\\(?\\+|00)'
          )
          THEN replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            ),
            '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          )
        END,
        '^[\\x{30}]+',
        ''
      )
    ) >= 6
    AND lengthUTF8(
      REPLACE(
        replaceRegexpOne(
          CASE
            WHEN match(
              replaceRegexpOne(
                replaceRegexpOne(
                  REPLACE(
                    replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                  ''
                ),
                '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                ''
              ),
              '(?-s)^(\\(?\\+|00)'
            )
            THEN replaceRegexpOne(
              replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              ),
              '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            )
          END,
          '^[\\x{30}]+',
          ''
        ),
        substringUTF8(
          replaceRegexpOne(
            CASE
              WHEN match(
                replaceRegexpOne(
                  replaceRegexpOne(
                    REPLACE(
                      replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                      '(0)',
                      ''
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                  ''
                ),
                '(?-s)^(\\(?\\+|00)'
              )
              THEN replaceRegexpOne(
                replaceRegexpOne(
                  replaceRegexpAll(
                    REPLACE(
                      replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                      '(0)',
                      ''
                    ),
                    '(?-s)[^0-9]',
                    ''
                  ),
                  '^[\\x{30}]+',
                  ''
                ),
                '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              )
            END,
            '^[\\x{30}]+',
            ''
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN replaceRegexpOne(
      CASE
        WHEN match(
          replaceRegexpOne(
            replaceRegexpOne(
              REPLACE(
                replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
              ''
            ),
            '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
            ''
          ),
          '(?-s)^(\\(?\\+|00)'
        )
        THEN replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          ),
          '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '(?-s)[^0-9]',
            ''
          ),
          '^[\\x{30}]+',
          ''
        )
      END,
      '^[\\x{30}]+',
      ''
    )
  END AS "phone_key",
  CASE
    WHEN lengthUTF8(
      replaceRegexpOne(
        CASE
          WHEN match(
            replaceRegexpOne(
              replaceRegexpOne(
                REPLACE(
                  replaceRegexpOne(
                    lowerUTF8("of newest"."mobile_phone"),
                    '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                ''
              ),
              '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
              ''
            ),
            '(?-s)^(\\(?\\+|00)'
          )
          THEN replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(
                    lowerUTF8("of newest"."mobile_phone"),
                    '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            ),
            '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(
                  lowerUTF8("of newest"."mobile_phone"),
                  '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          )
        END,
        '^[\\x{30}]+',
        ''
      )
    ) >= 6
    AND lengthUTF8(
      REPLACE(
        replaceRegexpOne(
          CASE
            WHEN match(
              replaceRegexpOne(
                replaceRegexpOne(
                  REPLACE(
                    replaceRegexpOne(
                      lowerUTF8("of newest"."mobile_phone"),
                      '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                  ''
                ),
                '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                ''
              ),
              '(?-s)^(\\(?\\+|00)'
            )
            THEN replaceRegexpOne(
              replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(
                      lowerUTF8("of newest"."mobile_phone"),
                      '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              ),
              '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(
                    lowerUTF8("of newest"."mobile_phone"),
                    '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            )
          END,
          '^[\\x{30}]+',
          ''
        ),
        substringUTF8(
          replaceRegexpOne(
            CASE
              WHEN match(
                replaceRegexpOne(
                  replaceRegexpOne(
                    REPLACE(
                      replaceRegexpOne(
                        lowerUTF8("of newest"."mobile_phone"),
                        '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                        ''
                      ),
                      '(0)',
                      ''
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                  ''
                ),
                '(?-s)^(\\(?\\+|00)'
              )
              THEN replaceRegexpOne(
                replaceRegexpOne(
                  replaceRegexpAll(
                    REPLACE(
                      replaceRegexpOne(
                        lowerUTF8("of newest"."mobile_phone"),
                        '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                        ''
                      ),
                      '(0)',
                      ''
                    ),
                    '(?-s)[^0-9]',
                    ''
                  ),
                  '^[\\x{30}]+',
                  ''
                ),
                '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(
                      lowerUTF8("of newest"."mobile_phone"),
                      '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              )
            END,
            '^[\\x{30}]+',
            ''
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN replaceRegexpOne(
      CASE
        WHEN match(
          replaceRegexpOne(
            replaceRegexpOne(
              REPLACE(
                replaceRegexpOne(
                  lowerUTF8("of newest"."mobile_phone"),
                  '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
              ''
            ),
            '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
            ''
          ),
          '(?-s)^(\\(?\\+|00)'
        )
        THEN replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(
                  lowerUTF8("of newest"."mobile_phone"),
                  '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          ),
          '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              replaceRegexpOne(
                lowerUTF8("of newest"."mobile_phone"),
                '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '(?-s)[^0-9]',
            ''
          ),
          '^[\\x{30}]+',
          ''
        )
      END,
      '^[\\x{30}]+',
      ''
    )
  END AS "mobile_key",
  CASE
    WHEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              REPLACE(
                REPLACE(
                  translateUTF8(
                    normalizeUTF8NFC(
                      replaceRegexpAll(
                        normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                        '\\p{M}+',
                        ''
                      )
                    ),
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
            '(?-s)[^\\p{L}\\p{N}]+',
            ' '
          ),
          '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
          ''
        ),
        '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
        ''
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
    ELSE nullIf(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              nullIf(
                replaceRegexpOne(
                  replaceRegexpOne(
                    replaceRegexpAll(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            translateUTF8(
                              normalizeUTF8NFC(
                                replaceRegexpAll(
                                  normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                                  '\\p{M}+',
                                  ''
                                )
                              ),
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
                      '(?-s)[^\\p{L}\\p{N}]+',
                      ' '
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
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
        ''
      ),
      ''
    )
  END AS "given_key",
  nullIf(
    if(
      REPLACE(
        REPLACE(
          REPLACE(
            COALESCE(
              nullIf(
                replaceRegexpOne(
                  replaceRegexpOne(
                    replaceRegexpAll(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            translateUTF8(
                              normalizeUTF8NFC(
                                replaceRegexpAll(
                                  normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                                  '\\p{M}+',
                                  ''
                                )
                              ),
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
                      '(?-s)[^\\p{L}\\p{N}]+',
                      ' '
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                  ''
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
      ) IS NULL,
      NULL,
      arrayElement(
        splitByString(
          ' ',
          assumeNotNull(
            REPLACE(
              REPLACE(
                REPLACE(
                  COALESCE(
                    nullIf(
                      replaceRegexpOne(
                        replaceRegexpOne(
                          replaceRegexpAll(
                            REPLACE(
                              REPLACE(
                                REPLACE(
                                  translateUTF8(
                                    normalizeUTF8NFC(
                                      replaceRegexpAll(
                                        normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                                        '\\p{M}+',
                                        ''
                                      )
                                    ),
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
                            '(?-s)[^\\p{L}\\p{N}]+',
                            ' '
                          ),
                          '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                          ''
                        ),
                        '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                        ''
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
            )
          )
        ),
        1
      )
    ),
    ''
  ) AS "given_first_key",
  CASE
    WHEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              REPLACE(
                REPLACE(
                  translateUTF8(
                    normalizeUTF8NFC(
                      replaceRegexpAll(
                        normalizeUTF8NFD(lowerUTF8(CAST("of newest"."last_name" AS Nullable(String)))),
                        '\\p{M}+',
                        ''
                      )
                    ),
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
            '(?-s)[^\\p{L}\\p{N}]+',
            ' '
          ),
          '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
          ''
        ),
        '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
        ''
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
    ELSE nullIf(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              nullIf(
                replaceRegexpOne(
                  replaceRegexpOne(
                    replaceRegexpAll(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            translateUTF8(
                              normalizeUTF8NFC(
                                replaceRegexpAll(
                                  normalizeUTF8NFD(lowerUTF8(CAST("of newest"."last_name" AS Nullable(String)))),
                                  '\\p{M}+',
                                  ''
                                )
                              ),
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
                      '(?-s)[^\\p{L}\\p{N}]+',
                      ' '
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
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
        ''
      ),
      ''
    )
  END AS "surname_key",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll(
          replaceRegexpAll(
            replaceRegexpAll(
              replaceRegexpAll(
                ' ' || COALESCE(
                  nullIf(
                    replaceRegexpOne(
                      replaceRegexpOne(
                        replaceRegexpAll(
                          REPLACE(
                            REPLACE(
                              REPLACE(
                                translateUTF8(
                                  normalizeUTF8NFC(
                                    replaceRegexpAll(
                                      normalizeUTF8NFD(lowerUTF8(CAST("of newest"."street" AS Nullable(String)))),
                                      '\\p{M}+',
                                      ''
                                    )
                                  ),
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
                          '(?-s)[^\\p{L}\\p{N}]+',
                          ' '
                        ),
                        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                        ''
                      ),
                      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                      ''
                    ),
                    ''
                  ),
                  ''
                ) || ' ',
                '(?-s)(strasse|str) ',
                'st '
              ),
              '(?-s) (street|saint|sankt) ',
              ' st '
            ),
            '(?-s) road ',
            ' rd '
          ),
          '(?-s) (avenue|av) ',
          ' ave '
        ),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "street_key",
  nullIf(
    replaceRegexpOne(extract("of newest"."street", '(?-s)[0-9]+'), '^[\\x{30}]+', ''),
    ''
  ) AS "house_key",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll(
          REPLACE(
            REPLACE(
              REPLACE(
                translateUTF8(
                  normalizeUTF8NFC(
                    replaceRegexpAll(
                      normalizeUTF8NFD(lowerUTF8(CAST("of newest"."city" AS Nullable(String)))),
                      '\\p{M}+',
                      ''
                    )
                  ),
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
          '(?-s)[^\\p{L}\\p{N}]+',
          ' '
        ),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "city_key",
  nullIf(replaceRegexpAll(upperUTF8("of newest"."postal_code"), '(?-s)[^A-Z0-9]', ''), '') AS "postcode_key"
FROM "newest" AS "of newest"
WHERE
  "of newest"."version_rank" = 1 AND NOT "of newest"."is_deleted";

-- stg_engagement
SELECT
  "of engagement_events"."event_id" AS "event_id",
  "of engagement_events"."campaign" AS "campaign",
  "of engagement_events"."event_type" AS "event_type",
  CASE
    WHEN match(
      nullIf(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(lowerUTF8("of engagement_events"."email"), '(?-s)\\s+', ''),
              '(?-s)^mailto:',
              ''
            ),
            '^[\\x{3C}\\x{28}]+',
            ''
          ),
          '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
          ''
        ),
        ''
      ),
      '(?-s)^[a-z0-9!#$%&''*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    )
    THEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(lowerUTF8("of engagement_events"."email"), '(?-s)\\s+', ''),
            '(?-s)^mailto:',
            ''
          ),
          '^[\\x{3C}\\x{28}]+',
          ''
        ),
        '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
        ''
      ),
      ''
    )
  END AS "email_key",
  "of engagement_events"."occurred_at" AS "occurred_at"
FROM "seeds"."engagement_events" AS "of engagement_events";

-- addresses
WITH "last_answers" AS (
  SELECT
    "of stg_engagement"."email_key" AS "email_key",
    MAX(
      CASE
        WHEN "of stg_engagement"."event_type" IN ('open', 'click')
        THEN "of stg_engagement"."occurred_at"
      END
    ) AS "last_answer_at"
  FROM "staging"."stg_engagement" AS "of stg_engagement"
  WHERE
    NOT (
      "of stg_engagement"."email_key" IS NULL
    )
  GROUP BY
    "of stg_engagement"."email_key"
)
SELECT
  "of events"."email_key" AS "email_key",
  COUNT(*) AS "events",
  CAST(COALESCE(max("of events"."event_type" = 'opt_out'), FALSE) AS Nullable(Bool)) AS "opted_out",
  MIN(
    CASE WHEN "of events"."event_type" = 'opt_out' THEN "of events"."occurred_at" END
  ) AS "opted_out_at",
  SUM(
    CASE
      WHEN "of events"."event_type" = 'bounce'
      AND (
        "of last_answers"."last_answer_at" IS NULL
        OR "of events"."occurred_at" > "of last_answers"."last_answer_at"
      )
      THEN 1
      ELSE 0
    END
  ) AS "bounces_since_answer",
  CAST(SUM(
    CASE
      WHEN "of events"."event_type" = 'bounce'
      AND (
        "of last_answers"."last_answer_at" IS NULL
        OR "of events"."occurred_at" > "of last_answers"."last_answer_at"
      )
      THEN 1
      ELSE 0
    END
  ) >= 3 AS Nullable(Bool)) AS "is_dead",
  MAX(CASE WHEN "of events"."event_type" = 'bounce' THEN "of events"."occurred_at" END) AS "last_bounce_at"
FROM "staging"."stg_engagement" AS "of events"
INNER JOIN "last_answers" AS "of last_answers"
  ON "of events"."email_key" = "of last_answers"."email_key"
GROUP BY
  "of events"."email_key";

-- stg_salesforce_contact
WITH "versions" AS (
  SELECT
    "of salesforce__contact"."id" AS "record_id",
    "of salesforce__contact"."salutation" AS "salutation",
    "of salesforce__contact"."firstname" AS "first_name",
    "of salesforce__contact"."lastname" AS "last_name",
    "of salesforce__contact"."email" AS "email",
    "of salesforce__contact"."phone" AS "phone",
    "of salesforce__contact"."mobilephone" AS "mobile_phone",
    "of salesforce__contact"."mailingstreet" AS "street",
    "of salesforce__contact"."mailingcity" AS "city",
    "of salesforce__contact"."mailingstate" AS "state",
    "of salesforce__contact"."mailingpostalcode" AS "postal_code",
    "of salesforce__contact"."mailingcountry" AS "country",
    CAST(NULL AS Nullable(String)) AS "company",
    "of salesforce__contact"."title" AS "job_title",
    "of salesforce__contact"."leadsource" AS "lead_source",
    "of salesforce__contact"."birthdate" AS "birth_date",
    "of salesforce__contact"."hasoptedoutofemail" AS "opted_out",
    "of salesforce__contact"."donotcall" AS "do_not_call",
    "of salesforce__contact"."member_number__c" AS "member_number",
    CAST("of salesforce__contact"."campaign_score__c" AS Nullable(Decimal(5, 1))) AS "campaign_score",
    "of salesforce__contact"."last_open__c" AS "last_open_at",
    CAST(NULL AS Nullable(String)) AS "converted_to_id",
    CAST(FALSE AS Nullable(Bool)) AS "is_read_only",
    "of salesforce__contact"."createddate" AS "created_at",
    "of salesforce__contact"."systemmodstamp" AS "modified_at",
    CAST(COALESCE("of salesforce__contact"."_backhaul_deleted", FALSE) AS Nullable(Bool)) AS "is_deleted",
    "of salesforce__contact"."_backhaul_survivor" AS "survivor_id",
    ROW_NUMBER() OVER (
      PARTITION BY "of salesforce__contact"."id"
      ORDER BY "of salesforce__contact"."systemmodstamp" DESC, "of salesforce__contact"."_backhaul_seen_at" DESC, "of salesforce__contact"."_dlt_load_id" DESC
    ) AS "version_rank",
    "of salesforce__contact"."_backhaul_seen_at" AS "seen_at",
    lower(
      hex(
        MD5(
          substringUTF8(
            '' || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."salutation" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."firstname" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."lastname" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."email" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."phone" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."mobilephone" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."mailingstreet" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."mailingcity" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."mailingstate" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."mailingpostalcode" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."mailingcountry" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."title" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."department" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__contact"."birthdate" AS Nullable(String)), '\x1e'),
              ''
            ),
            lengthUTF8('\x1f') + 1
          )
        )
      )
    ) AS "content_mark",
    lag(
      toNullable(
        lower(
          hex(
            MD5(
              substringUTF8(
                '' || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."salutation" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."firstname" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."lastname" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."email" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."phone" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."mobilephone" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."mailingstreet" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."mailingcity" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."mailingstate" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."mailingpostalcode" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."mailingcountry" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."title" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."department" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__contact"."birthdate" AS Nullable(String)), '\x1e'),
                  ''
                ),
                lengthUTF8('\x1f') + 1
              )
            )
          )
        )
      )
    ) OVER (
      PARTITION BY "of salesforce__contact"."id"
      ORDER BY "of salesforce__contact"."systemmodstamp" ASC NULLS FIRST, "of salesforce__contact"."_backhaul_seen_at" ASC, "of salesforce__contact"."_dlt_load_id" ASC
    ) AS "content_mark_before",
    COALESCE("of salesforce__contact"."email", '') AS "email_mark",
    lag(toNullable(COALESCE("of salesforce__contact"."email", ''))) OVER (
      PARTITION BY "of salesforce__contact"."id"
      ORDER BY "of salesforce__contact"."systemmodstamp" ASC NULLS FIRST, "of salesforce__contact"."_backhaul_seen_at" ASC, "of salesforce__contact"."_dlt_load_id" ASC
    ) AS "email_mark_before"
  FROM "raw"."salesforce__contact" AS "of salesforce__contact"
), "newest" AS (
  SELECT
    "of versions"."record_id" AS "record_id",
    "of versions"."salutation" AS "salutation",
    "of versions"."first_name" AS "first_name",
    "of versions"."last_name" AS "last_name",
    "of versions"."email" AS "email",
    "of versions"."phone" AS "phone",
    "of versions"."mobile_phone" AS "mobile_phone",
    "of versions"."street" AS "street",
    "of versions"."city" AS "city",
    "of versions"."state" AS "state",
    "of versions"."postal_code" AS "postal_code",
    "of versions"."country" AS "country",
    "of versions"."company" AS "company",
    "of versions"."job_title" AS "job_title",
    "of versions"."lead_source" AS "lead_source",
    "of versions"."birth_date" AS "birth_date",
    "of versions"."opted_out" AS "opted_out",
    "of versions"."do_not_call" AS "do_not_call",
    "of versions"."member_number" AS "member_number",
    "of versions"."campaign_score" AS "campaign_score",
    "of versions"."last_open_at" AS "last_open_at",
    "of versions"."converted_to_id" AS "converted_to_id",
    "of versions"."is_read_only" AS "is_read_only",
    "of versions"."created_at" AS "created_at",
    "of versions"."modified_at" AS "modified_at",
    "of versions"."is_deleted" AS "is_deleted",
    "of versions"."survivor_id" AS "survivor_id",
    "of versions"."version_rank" AS "version_rank",
    "of versions"."seen_at" AS "seen_at",
    "of versions"."content_mark" AS "content_mark",
    "of versions"."content_mark_before" AS "content_mark_before",
    "of versions"."email_mark" AS "email_mark",
    "of versions"."email_mark_before" AS "email_mark_before",
    MAX(
      CASE
        WHEN "of versions"."content_mark" IS DISTINCT FROM "of versions"."content_mark_before"
        THEN "of versions"."modified_at"
      END
    ) OVER (PARTITION BY "of versions"."record_id") AS "content_changed_at",
    MAX(
      CASE
        WHEN "of versions"."email_mark" IS DISTINCT FROM "of versions"."email_mark_before"
        THEN "of versions"."modified_at"
      END
    ) OVER (PARTITION BY "of versions"."record_id") AS "email_changed_at",
    MIN("of versions"."seen_at") OVER (PARTITION BY "of versions"."record_id") AS "first_seen_at"
  FROM "versions" AS "of versions"
)
SELECT
  'salesforce:Contact:' || "of newest"."record_id" AS "record_key",
  'salesforce' AS "account",
  'Contact' AS "object",
  "of newest"."record_id" AS "record_id",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."salutation",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "salutation",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll("of newest"."first_name", '(?-s)\\s+', ' '),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "first_name",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll("of newest"."last_name", '(?-s)\\s+', ' '),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "last_name",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpAll(lowerUTF8("of newest"."email"), '(?-s)\\s+', ''),
          '(?-s)^mailto:',
          ''
        ),
        '^[\\x{3C}\\x{28}]+',
        ''
      ),
      '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
      ''
    ),
    ''
  ) AS "email",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."phone",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "phone",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."mobile_phone",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "mobile_phone",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."street",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "street",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."city",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "city",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."state",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "state",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."postal_code",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "postal_code",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."country",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "country",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."company",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "company",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."job_title",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "job_title",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."lead_source",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "lead_source",
  CASE
    WHEN "of newest"."birth_date" > CAST('1900-01-01' AS Nullable(Date32))
    AND "of newest"."birth_date" <> CAST('1970-01-01' AS Nullable(Date32))
    AND "of newest"."birth_date" < CAST('2100-01-01' AS Nullable(Date32))
    THEN "of newest"."birth_date"
  END AS "birth_date",
  CAST(COALESCE("of newest"."opted_out", FALSE) AS Nullable(Bool)) AS "opted_out",
  CAST(COALESCE("of newest"."do_not_call", FALSE) AS Nullable(Bool)) AS "do_not_call",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."member_number",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "member_number",
  "of newest"."campaign_score" AS "campaign_score",
  "of newest"."last_open_at" AS "last_open_at",
  "of newest"."converted_to_id" AS "converted_to_id",
  "of newest"."is_read_only" AS "is_read_only",
  "of newest"."created_at" AS "created_at",
  "of newest"."modified_at" AS "modified_at",
  "of newest"."content_changed_at" AS "content_changed_at",
  "of newest"."email_changed_at" AS "email_changed_at",
  "of newest"."first_seen_at" AS "first_seen_at",
  "of newest"."seen_at" AS "seen_at",
  CASE
    WHEN match(
      nullIf(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(lowerUTF8("of newest"."email"), '(?-s)\\s+', ''),
              '(?-s)^mailto:',
              ''
            ),
            '^[\\x{3C}\\x{28}]+',
            ''
          ),
          '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
          ''
        ),
        ''
      ),
      '(?-s)^[a-z0-9!#$%&''*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    )
    THEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(lowerUTF8("of newest"."email"), '(?-s)\\s+', ''),
            '(?-s)^mailto:',
            ''
          ),
          '^[\\x{3C}\\x{28}]+',
          ''
        ),
        '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
        ''
      ),
      ''
    )
  END AS "email_key",
  CASE
    WHEN lengthUTF8(
      replaceRegexpOne(
        CASE
          WHEN match(
            replaceRegexpOne(
              replaceRegexpOne(
                REPLACE(
                  replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                ''
              ),
              '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
              ''
            ),
            '(?-s)^(\\(?\\+|00)'
          )
          THEN replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            ),
            '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          )
        END,
        '^[\\x{30}]+',
        ''
      )
    ) >= 6
    AND lengthUTF8(
      REPLACE(
        replaceRegexpOne(
          CASE
            WHEN match(
              replaceRegexpOne(
                replaceRegexpOne(
                  REPLACE(
                    replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                  ''
                ),
                '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                ''
              ),
              '(?-s)^(\\(?\\+|00)'
            )
            THEN replaceRegexpOne(
              replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              ),
              '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            )
          END,
          '^[\\x{30}]+',
          ''
        ),
        substringUTF8(
          replaceRegexpOne(
            CASE
              WHEN match(
                replaceRegexpOne(
                  replaceRegexpOne(
                    REPLACE(
                      replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                      '(0)',
                      ''
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                  ''
                ),
                '(?-s)^(\\(?\\+|00)'
              )
              THEN replaceRegexpOne(
                replaceRegexpOne(
                  replaceRegexpAll(
                    REPLACE(
                      replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                      '(0)',
                      ''
                    ),
                    '(?-s)[^0-9]',
                    ''
                  ),
                  '^[\\x{30}]+',
                  ''
                ),
                '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              )
            END,
            '^[\\x{30}]+',
            ''
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN replaceRegexpOne(
      CASE
        WHEN match(
          replaceRegexpOne(
            replaceRegexpOne(
              REPLACE(
                replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
              ''
            ),
            '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
            ''
          ),
          '(?-s)^(\\(?\\+|00)'
        )
        THEN replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          ),
          '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '(?-s)[^0-9]',
            ''
          ),
          '^[\\x{30}]+',
          ''
        )
      END,
      '^[\\x{30}]+',
      ''
    )
  END AS "phone_key",
  CASE
    WHEN lengthUTF8(
      replaceRegexpOne(
        CASE
          WHEN match(
            replaceRegexpOne(
              replaceRegexpOne(
                REPLACE(
                  replaceRegexpOne(
                    lowerUTF8("of newest"."mobile_phone"),
                    '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                ''
              ),
              '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
              ''
            ),
            '(?-s)^(\\(?\\+|00)'
          )
          THEN replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(
                    lowerUTF8("of newest"."mobile_phone"),
                    '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            ),
            '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(
                  lowerUTF8("of newest"."mobile_phone"),
                  '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          )
        END,
        '^[\\x{30}]+',
        ''
      )
    ) >= 6
    AND lengthUTF8(
      REPLACE(
        replaceRegexpOne(
          CASE
            WHEN match(
              replaceRegexpOne(
                replaceRegexpOne(
                  REPLACE(
                    replaceRegexpOne(
                      lowerUTF8("of newest"."mobile_phone"),
                      '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                  ''
                ),
                '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                ''
              ),
              '(?-s)^(\\(?\\+|00)'
            )
            THEN replaceRegexpOne(
              replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(
                      lowerUTF8("of newest"."mobile_phone"),
                      '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              ),
              '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(
                    lowerUTF8("of newest"."mobile_phone"),
                    '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            )
          END,
          '^[\\x{30}]+',
          ''
        ),
        substringUTF8(
          replaceRegexpOne(
            CASE
              WHEN match(
                replaceRegexpOne(
                  replaceRegexpOne(
                    REPLACE(
                      replaceRegexpOne(
                        lowerUTF8("of newest"."mobile_phone"),
                        '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                        ''
                      ),
                      '(0)',
                      ''
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                  ''
                ),
                '(?-s)^(\\(?\\+|00)'
              )
              THEN replaceRegexpOne(
                replaceRegexpOne(
                  replaceRegexpAll(
                    REPLACE(
                      replaceRegexpOne(
                        lowerUTF8("of newest"."mobile_phone"),
                        '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                        ''
                      ),
                      '(0)',
                      ''
                    ),
                    '(?-s)[^0-9]',
                    ''
                  ),
                  '^[\\x{30}]+',
                  ''
                ),
                '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(
                      lowerUTF8("of newest"."mobile_phone"),
                      '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              )
            END,
            '^[\\x{30}]+',
            ''
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN replaceRegexpOne(
      CASE
        WHEN match(
          replaceRegexpOne(
            replaceRegexpOne(
              REPLACE(
                replaceRegexpOne(
                  lowerUTF8("of newest"."mobile_phone"),
                  '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
              ''
            ),
            '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
            ''
          ),
          '(?-s)^(\\(?\\+|00)'
        )
        THEN replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(
                  lowerUTF8("of newest"."mobile_phone"),
                  '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          ),
          '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              replaceRegexpOne(
                lowerUTF8("of newest"."mobile_phone"),
                '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '(?-s)[^0-9]',
            ''
          ),
          '^[\\x{30}]+',
          ''
        )
      END,
      '^[\\x{30}]+',
      ''
    )
  END AS "mobile_key",
  CASE
    WHEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              REPLACE(
                REPLACE(
                  translateUTF8(
                    normalizeUTF8NFC(
                      replaceRegexpAll(
                        normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                        '\\p{M}+',
                        ''
                      )
                    ),
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
            '(?-s)[^\\p{L}\\p{N}]+',
            ' '
          ),
          '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
          ''
        ),
        '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
        ''
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
    ELSE nullIf(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              nullIf(
                replaceRegexpOne(
                  replaceRegexpOne(
                    replaceRegexpAll(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            translateUTF8(
                              normalizeUTF8NFC(
                                replaceRegexpAll(
                                  normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                                  '\\p{M}+',
                                  ''
                                )
                              ),
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
                      '(?-s)[^\\p{L}\\p{N}]+',
                      ' '
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
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
        ''
      ),
      ''
    )
  END AS "given_key",
  nullIf(
    if(
      REPLACE(
        REPLACE(
          REPLACE(
            COALESCE(
              nullIf(
                replaceRegexpOne(
                  replaceRegexpOne(
                    replaceRegexpAll(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            translateUTF8(
                              normalizeUTF8NFC(
                                replaceRegexpAll(
                                  normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                                  '\\p{M}+',
                                  ''
                                )
                              ),
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
                      '(?-s)[^\\p{L}\\p{N}]+',
                      ' '
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                  ''
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
      ) IS NULL,
      NULL,
      arrayElement(
        splitByString(
          ' ',
          assumeNotNull(
            REPLACE(
              REPLACE(
                REPLACE(
                  COALESCE(
                    nullIf(
                      replaceRegexpOne(
                        replaceRegexpOne(
                          replaceRegexpAll(
                            REPLACE(
                              REPLACE(
                                REPLACE(
                                  translateUTF8(
                                    normalizeUTF8NFC(
                                      replaceRegexpAll(
                                        normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                                        '\\p{M}+',
                                        ''
                                      )
                                    ),
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
                            '(?-s)[^\\p{L}\\p{N}]+',
                            ' '
                          ),
                          '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                          ''
                        ),
                        '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                        ''
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
            )
          )
        ),
        1
      )
    ),
    ''
  ) AS "given_first_key",
  CASE
    WHEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              REPLACE(
                REPLACE(
                  translateUTF8(
                    normalizeUTF8NFC(
                      replaceRegexpAll(
                        normalizeUTF8NFD(lowerUTF8(CAST("of newest"."last_name" AS Nullable(String)))),
                        '\\p{M}+',
                        ''
                      )
                    ),
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
            '(?-s)[^\\p{L}\\p{N}]+',
            ' '
          ),
          '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
          ''
        ),
        '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
        ''
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
    ELSE nullIf(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              nullIf(
                replaceRegexpOne(
                  replaceRegexpOne(
                    replaceRegexpAll(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            translateUTF8(
                              normalizeUTF8NFC(
                                replaceRegexpAll(
                                  normalizeUTF8NFD(lowerUTF8(CAST("of newest"."last_name" AS Nullable(String)))),
                                  '\\p{M}+',
                                  ''
                                )
                              ),
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
                      '(?-s)[^\\p{L}\\p{N}]+',
                      ' '
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
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
        ''
      ),
      ''
    )
  END AS "surname_key",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll(
          replaceRegexpAll(
            replaceRegexpAll(
              replaceRegexpAll(
                ' ' || COALESCE(
                  nullIf(
                    replaceRegexpOne(
                      replaceRegexpOne(
                        replaceRegexpAll(
                          REPLACE(
                            REPLACE(
                              REPLACE(
                                translateUTF8(
                                  normalizeUTF8NFC(
                                    replaceRegexpAll(
                                      normalizeUTF8NFD(lowerUTF8(CAST("of newest"."street" AS Nullable(String)))),
                                      '\\p{M}+',
                                      ''
                                    )
                                  ),
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
                          '(?-s)[^\\p{L}\\p{N}]+',
                          ' '
                        ),
                        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                        ''
                      ),
                      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                      ''
                    ),
                    ''
                  ),
                  ''
                ) || ' ',
                '(?-s)(strasse|str) ',
                'st '
              ),
              '(?-s) (street|saint|sankt) ',
              ' st '
            ),
            '(?-s) road ',
            ' rd '
          ),
          '(?-s) (avenue|av) ',
          ' ave '
        ),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "street_key",
  nullIf(
    replaceRegexpOne(extract("of newest"."street", '(?-s)[0-9]+'), '^[\\x{30}]+', ''),
    ''
  ) AS "house_key",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll(
          REPLACE(
            REPLACE(
              REPLACE(
                translateUTF8(
                  normalizeUTF8NFC(
                    replaceRegexpAll(
                      normalizeUTF8NFD(lowerUTF8(CAST("of newest"."city" AS Nullable(String)))),
                      '\\p{M}+',
                      ''
                    )
                  ),
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
          '(?-s)[^\\p{L}\\p{N}]+',
          ' '
        ),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "city_key",
  nullIf(replaceRegexpAll(upperUTF8("of newest"."postal_code"), '(?-s)[^A-Z0-9]', ''), '') AS "postcode_key"
FROM "newest" AS "of newest"
WHERE
  "of newest"."version_rank" = 1 AND NOT "of newest"."is_deleted";

-- stg_salesforce_lead
WITH "versions" AS (
  SELECT
    "of salesforce__lead"."id" AS "record_id",
    "of salesforce__lead"."salutation" AS "salutation",
    "of salesforce__lead"."firstname" AS "first_name",
    "of salesforce__lead"."lastname" AS "last_name",
    "of salesforce__lead"."email" AS "email",
    "of salesforce__lead"."phone" AS "phone",
    "of salesforce__lead"."mobilephone" AS "mobile_phone",
    "of salesforce__lead"."street" AS "street",
    "of salesforce__lead"."city" AS "city",
    "of salesforce__lead"."state" AS "state",
    "of salesforce__lead"."postalcode" AS "postal_code",
    "of salesforce__lead"."country" AS "country",
    "of salesforce__lead"."company" AS "company",
    "of salesforce__lead"."title" AS "job_title",
    "of salesforce__lead"."leadsource" AS "lead_source",
    CAST(NULL AS Nullable(Date32)) AS "birth_date",
    "of salesforce__lead"."hasoptedoutofemail" AS "opted_out",
    "of salesforce__lead"."donotcall" AS "do_not_call",
    "of salesforce__lead"."member_number__c" AS "member_number",
    CAST("of salesforce__lead"."campaign_score__c" AS Nullable(Decimal(5, 1))) AS "campaign_score",
    "of salesforce__lead"."last_open__c" AS "last_open_at",
    CASE
      WHEN "of salesforce__lead"."isconverted"
      THEN "of salesforce__lead"."convertedcontactid"
    END AS "converted_to_id",
    CAST(COALESCE("of salesforce__lead"."isconverted", FALSE) AS Nullable(Bool)) AS "is_read_only",
    "of salesforce__lead"."createddate" AS "created_at",
    "of salesforce__lead"."systemmodstamp" AS "modified_at",
    CAST(COALESCE("of salesforce__lead"."_backhaul_deleted", FALSE) AS Nullable(Bool)) AS "is_deleted",
    "of salesforce__lead"."_backhaul_survivor" AS "survivor_id",
    ROW_NUMBER() OVER (
      PARTITION BY "of salesforce__lead"."id"
      ORDER BY "of salesforce__lead"."systemmodstamp" DESC, "of salesforce__lead"."_backhaul_seen_at" DESC, "of salesforce__lead"."_dlt_load_id" DESC
    ) AS "version_rank",
    "of salesforce__lead"."_backhaul_seen_at" AS "seen_at",
    lower(
      hex(
        MD5(
          substringUTF8(
            '' || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."salutation" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."firstname" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."lastname" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."email" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."phone" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."mobilephone" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."street" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."city" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."state" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."postalcode" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."country" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."title" AS Nullable(String)), '\x1e'),
              ''
            ) || COALESCE(
              '\x1f' || COALESCE(CAST("of salesforce__lead"."company" AS Nullable(String)), '\x1e'),
              ''
            ),
            lengthUTF8('\x1f') + 1
          )
        )
      )
    ) AS "content_mark",
    lag(
      toNullable(
        lower(
          hex(
            MD5(
              substringUTF8(
                '' || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."salutation" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."firstname" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."lastname" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."email" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."phone" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."mobilephone" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."street" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."city" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."state" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."postalcode" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."country" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."title" AS Nullable(String)), '\x1e'),
                  ''
                ) || COALESCE(
                  '\x1f' || COALESCE(CAST("of salesforce__lead"."company" AS Nullable(String)), '\x1e'),
                  ''
                ),
                lengthUTF8('\x1f') + 1
              )
            )
          )
        )
      )
    ) OVER (
      PARTITION BY "of salesforce__lead"."id"
      ORDER BY "of salesforce__lead"."systemmodstamp" ASC NULLS FIRST, "of salesforce__lead"."_backhaul_seen_at" ASC, "of salesforce__lead"."_dlt_load_id" ASC
    ) AS "content_mark_before",
    COALESCE("of salesforce__lead"."email", '') AS "email_mark",
    lag(toNullable(COALESCE("of salesforce__lead"."email", ''))) OVER (
      PARTITION BY "of salesforce__lead"."id"
      ORDER BY "of salesforce__lead"."systemmodstamp" ASC NULLS FIRST, "of salesforce__lead"."_backhaul_seen_at" ASC, "of salesforce__lead"."_dlt_load_id" ASC
    ) AS "email_mark_before"
  FROM "raw"."salesforce__lead" AS "of salesforce__lead"
), "newest" AS (
  SELECT
    "of versions"."record_id" AS "record_id",
    "of versions"."salutation" AS "salutation",
    "of versions"."first_name" AS "first_name",
    "of versions"."last_name" AS "last_name",
    "of versions"."email" AS "email",
    "of versions"."phone" AS "phone",
    "of versions"."mobile_phone" AS "mobile_phone",
    "of versions"."street" AS "street",
    "of versions"."city" AS "city",
    "of versions"."state" AS "state",
    "of versions"."postal_code" AS "postal_code",
    "of versions"."country" AS "country",
    "of versions"."company" AS "company",
    "of versions"."job_title" AS "job_title",
    "of versions"."lead_source" AS "lead_source",
    "of versions"."birth_date" AS "birth_date",
    "of versions"."opted_out" AS "opted_out",
    "of versions"."do_not_call" AS "do_not_call",
    "of versions"."member_number" AS "member_number",
    "of versions"."campaign_score" AS "campaign_score",
    "of versions"."last_open_at" AS "last_open_at",
    "of versions"."converted_to_id" AS "converted_to_id",
    "of versions"."is_read_only" AS "is_read_only",
    "of versions"."created_at" AS "created_at",
    "of versions"."modified_at" AS "modified_at",
    "of versions"."is_deleted" AS "is_deleted",
    "of versions"."survivor_id" AS "survivor_id",
    "of versions"."version_rank" AS "version_rank",
    "of versions"."seen_at" AS "seen_at",
    "of versions"."content_mark" AS "content_mark",
    "of versions"."content_mark_before" AS "content_mark_before",
    "of versions"."email_mark" AS "email_mark",
    "of versions"."email_mark_before" AS "email_mark_before",
    MAX(
      CASE
        WHEN "of versions"."content_mark" IS DISTINCT FROM "of versions"."content_mark_before"
        THEN "of versions"."modified_at"
      END
    ) OVER (PARTITION BY "of versions"."record_id") AS "content_changed_at",
    MAX(
      CASE
        WHEN "of versions"."email_mark" IS DISTINCT FROM "of versions"."email_mark_before"
        THEN "of versions"."modified_at"
      END
    ) OVER (PARTITION BY "of versions"."record_id") AS "email_changed_at",
    MIN("of versions"."seen_at") OVER (PARTITION BY "of versions"."record_id") AS "first_seen_at"
  FROM "versions" AS "of versions"
)
SELECT
  'salesforce:Lead:' || "of newest"."record_id" AS "record_key",
  'salesforce' AS "account",
  'Lead' AS "object",
  "of newest"."record_id" AS "record_id",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."salutation",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "salutation",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll("of newest"."first_name", '(?-s)\\s+', ' '),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "first_name",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll("of newest"."last_name", '(?-s)\\s+', ' '),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "last_name",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpAll(lowerUTF8("of newest"."email"), '(?-s)\\s+', ''),
          '(?-s)^mailto:',
          ''
        ),
        '^[\\x{3C}\\x{28}]+',
        ''
      ),
      '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
      ''
    ),
    ''
  ) AS "email",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."phone",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "phone",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."mobile_phone",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "mobile_phone",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."street",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "street",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."city",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "city",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."state",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "state",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."postal_code",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "postal_code",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."country",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "country",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."company",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "company",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."job_title",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "job_title",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."lead_source",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "lead_source",
  CASE
    WHEN "of newest"."birth_date" > CAST('1900-01-01' AS Nullable(Date32))
    AND "of newest"."birth_date" <> CAST('1970-01-01' AS Nullable(Date32))
    AND "of newest"."birth_date" < CAST('2100-01-01' AS Nullable(Date32))
    THEN "of newest"."birth_date"
  END AS "birth_date",
  CAST(COALESCE("of newest"."opted_out", FALSE) AS Nullable(Bool)) AS "opted_out",
  CAST(COALESCE("of newest"."do_not_call", FALSE) AS Nullable(Bool)) AS "do_not_call",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        "of newest"."member_number",
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "member_number",
  "of newest"."campaign_score" AS "campaign_score",
  "of newest"."last_open_at" AS "last_open_at",
  "of newest"."converted_to_id" AS "converted_to_id",
  "of newest"."is_read_only" AS "is_read_only",
  "of newest"."created_at" AS "created_at",
  "of newest"."modified_at" AS "modified_at",
  "of newest"."content_changed_at" AS "content_changed_at",
  "of newest"."email_changed_at" AS "email_changed_at",
  "of newest"."first_seen_at" AS "first_seen_at",
  "of newest"."seen_at" AS "seen_at",
  CASE
    WHEN match(
      nullIf(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(lowerUTF8("of newest"."email"), '(?-s)\\s+', ''),
              '(?-s)^mailto:',
              ''
            ),
            '^[\\x{3C}\\x{28}]+',
            ''
          ),
          '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
          ''
        ),
        ''
      ),
      '(?-s)^[a-z0-9!#$%&''*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    )
    THEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(lowerUTF8("of newest"."email"), '(?-s)\\s+', ''),
            '(?-s)^mailto:',
            ''
          ),
          '^[\\x{3C}\\x{28}]+',
          ''
        ),
        '[\\x{3E}\\x{29}\\x{2C}\\x{2E}\\x{3B}]+$',
        ''
      ),
      ''
    )
  END AS "email_key",
  CASE
    WHEN lengthUTF8(
      replaceRegexpOne(
        CASE
          WHEN match(
            replaceRegexpOne(
              replaceRegexpOne(
                REPLACE(
                  replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                ''
              ),
              '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
              ''
            ),
            '(?-s)^(\\(?\\+|00)'
          )
          THEN replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            ),
            '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          )
        END,
        '^[\\x{30}]+',
        ''
      )
    ) >= 6
    AND lengthUTF8(
      REPLACE(
        replaceRegexpOne(
          CASE
            WHEN match(
              replaceRegexpOne(
                replaceRegexpOne(
                  REPLACE(
                    replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                  ''
                ),
                '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                ''
              ),
              '(?-s)^(\\(?\\+|00)'
            )
            THEN replaceRegexpOne(
              replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              ),
              '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            )
          END,
          '^[\\x{30}]+',
          ''
        ),
        substringUTF8(
          replaceRegexpOne(
            CASE
              WHEN match(
                replaceRegexpOne(
                  replaceRegexpOne(
                    REPLACE(
                      replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                      '(0)',
                      ''
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                  ''
                ),
                '(?-s)^(\\(?\\+|00)'
              )
              THEN replaceRegexpOne(
                replaceRegexpOne(
                  replaceRegexpAll(
                    REPLACE(
                      replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                      '(0)',
                      ''
                    ),
                    '(?-s)[^0-9]',
                    ''
                  ),
                  '^[\\x{30}]+',
                  ''
                ),
                '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              )
            END,
            '^[\\x{30}]+',
            ''
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN replaceRegexpOne(
      CASE
        WHEN match(
          replaceRegexpOne(
            replaceRegexpOne(
              REPLACE(
                replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
              ''
            ),
            '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
            ''
          ),
          '(?-s)^(\\(?\\+|00)'
        )
        THEN replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          ),
          '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              replaceRegexpOne(lowerUTF8("of newest"."phone"), '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '(?-s)[^0-9]',
            ''
          ),
          '^[\\x{30}]+',
          ''
        )
      END,
      '^[\\x{30}]+',
      ''
    )
  END AS "phone_key",
  CASE
    WHEN lengthUTF8(
      replaceRegexpOne(
        CASE
          WHEN match(
            replaceRegexpOne(
              replaceRegexpOne(
                REPLACE(
                  replaceRegexpOne(
                    lowerUTF8("of newest"."mobile_phone"),
                    '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                ''
              ),
              '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
              ''
            ),
            '(?-s)^(\\(?\\+|00)'
          )
          THEN replaceRegexpOne(
            replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(
                    lowerUTF8("of newest"."mobile_phone"),
                    '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            ),
            '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(
                  lowerUTF8("of newest"."mobile_phone"),
                  '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          )
        END,
        '^[\\x{30}]+',
        ''
      )
    ) >= 6
    AND lengthUTF8(
      REPLACE(
        replaceRegexpOne(
          CASE
            WHEN match(
              replaceRegexpOne(
                replaceRegexpOne(
                  REPLACE(
                    replaceRegexpOne(
                      lowerUTF8("of newest"."mobile_phone"),
                      '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                  ''
                ),
                '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                ''
              ),
              '(?-s)^(\\(?\\+|00)'
            )
            THEN replaceRegexpOne(
              replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(
                      lowerUTF8("of newest"."mobile_phone"),
                      '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              ),
              '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE replaceRegexpOne(
              replaceRegexpAll(
                REPLACE(
                  replaceRegexpOne(
                    lowerUTF8("of newest"."mobile_phone"),
                    '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '(?-s)[^0-9]',
                ''
              ),
              '^[\\x{30}]+',
              ''
            )
          END,
          '^[\\x{30}]+',
          ''
        ),
        substringUTF8(
          replaceRegexpOne(
            CASE
              WHEN match(
                replaceRegexpOne(
                  replaceRegexpOne(
                    REPLACE(
                      replaceRegexpOne(
                        lowerUTF8("of newest"."mobile_phone"),
                        '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                        ''
                      ),
                      '(0)',
                      ''
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                  ''
                ),
                '(?-s)^(\\(?\\+|00)'
              )
              THEN replaceRegexpOne(
                replaceRegexpOne(
                  replaceRegexpAll(
                    REPLACE(
                      replaceRegexpOne(
                        lowerUTF8("of newest"."mobile_phone"),
                        '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                        ''
                      ),
                      '(0)',
                      ''
                    ),
                    '(?-s)[^0-9]',
                    ''
                  ),
                  '^[\\x{30}]+',
                  ''
                ),
                '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
                ''
              )
              ELSE replaceRegexpOne(
                replaceRegexpAll(
                  REPLACE(
                    replaceRegexpOne(
                      lowerUTF8("of newest"."mobile_phone"),
                      '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                      ''
                    ),
                    '(0)',
                    ''
                  ),
                  '(?-s)[^0-9]',
                  ''
                ),
                '^[\\x{30}]+',
                ''
              )
            END,
            '^[\\x{30}]+',
            ''
          ),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN replaceRegexpOne(
      CASE
        WHEN match(
          replaceRegexpOne(
            replaceRegexpOne(
              REPLACE(
                replaceRegexpOne(
                  lowerUTF8("of newest"."mobile_phone"),
                  '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
              ''
            ),
            '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
            ''
          ),
          '(?-s)^(\\(?\\+|00)'
        )
        THEN replaceRegexpOne(
          replaceRegexpOne(
            replaceRegexpAll(
              REPLACE(
                replaceRegexpOne(
                  lowerUTF8("of newest"."mobile_phone"),
                  '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '(?-s)[^0-9]',
              ''
            ),
            '^[\\x{30}]+',
            ''
          ),
          '(?-s)^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              replaceRegexpOne(
                lowerUTF8("of newest"."mobile_phone"),
                '(?-s)\\s*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '(?-s)[^0-9]',
            ''
          ),
          '^[\\x{30}]+',
          ''
        )
      END,
      '^[\\x{30}]+',
      ''
    )
  END AS "mobile_key",
  CASE
    WHEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              REPLACE(
                REPLACE(
                  translateUTF8(
                    normalizeUTF8NFC(
                      replaceRegexpAll(
                        normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                        '\\p{M}+',
                        ''
                      )
                    ),
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
            '(?-s)[^\\p{L}\\p{N}]+',
            ' '
          ),
          '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
          ''
        ),
        '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
        ''
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
    ELSE nullIf(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              nullIf(
                replaceRegexpOne(
                  replaceRegexpOne(
                    replaceRegexpAll(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            translateUTF8(
                              normalizeUTF8NFC(
                                replaceRegexpAll(
                                  normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                                  '\\p{M}+',
                                  ''
                                )
                              ),
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
                      '(?-s)[^\\p{L}\\p{N}]+',
                      ' '
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
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
        ''
      ),
      ''
    )
  END AS "given_key",
  nullIf(
    if(
      REPLACE(
        REPLACE(
          REPLACE(
            COALESCE(
              nullIf(
                replaceRegexpOne(
                  replaceRegexpOne(
                    replaceRegexpAll(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            translateUTF8(
                              normalizeUTF8NFC(
                                replaceRegexpAll(
                                  normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                                  '\\p{M}+',
                                  ''
                                )
                              ),
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
                      '(?-s)[^\\p{L}\\p{N}]+',
                      ' '
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                  ''
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
      ) IS NULL,
      NULL,
      arrayElement(
        splitByString(
          ' ',
          assumeNotNull(
            REPLACE(
              REPLACE(
                REPLACE(
                  COALESCE(
                    nullIf(
                      replaceRegexpOne(
                        replaceRegexpOne(
                          replaceRegexpAll(
                            REPLACE(
                              REPLACE(
                                REPLACE(
                                  translateUTF8(
                                    normalizeUTF8NFC(
                                      replaceRegexpAll(
                                        normalizeUTF8NFD(lowerUTF8(CAST("of newest"."first_name" AS Nullable(String)))),
                                        '\\p{M}+',
                                        ''
                                      )
                                    ),
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
                            '(?-s)[^\\p{L}\\p{N}]+',
                            ' '
                          ),
                          '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                          ''
                        ),
                        '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                        ''
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
            )
          )
        ),
        1
      )
    ),
    ''
  ) AS "given_first_key",
  CASE
    WHEN nullIf(
      replaceRegexpOne(
        replaceRegexpOne(
          replaceRegexpAll(
            REPLACE(
              REPLACE(
                REPLACE(
                  translateUTF8(
                    normalizeUTF8NFC(
                      replaceRegexpAll(
                        normalizeUTF8NFD(lowerUTF8(CAST("of newest"."last_name" AS Nullable(String)))),
                        '\\p{M}+',
                        ''
                      )
                    ),
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
            '(?-s)[^\\p{L}\\p{N}]+',
            ' '
          ),
          '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
          ''
        ),
        '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
        ''
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
    ELSE nullIf(
      REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              nullIf(
                replaceRegexpOne(
                  replaceRegexpOne(
                    replaceRegexpAll(
                      REPLACE(
                        REPLACE(
                          REPLACE(
                            translateUTF8(
                              normalizeUTF8NFC(
                                replaceRegexpAll(
                                  normalizeUTF8NFD(lowerUTF8(CAST("of newest"."last_name" AS Nullable(String)))),
                                  '\\p{M}+',
                                  ''
                                )
                              ),
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
                      '(?-s)[^\\p{L}\\p{N}]+',
                      ' '
                    ),
                    '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                    ''
                  ),
                  '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
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
        ''
      ),
      ''
    )
  END AS "surname_key",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll(
          replaceRegexpAll(
            replaceRegexpAll(
              replaceRegexpAll(
                ' ' || COALESCE(
                  nullIf(
                    replaceRegexpOne(
                      replaceRegexpOne(
                        replaceRegexpAll(
                          REPLACE(
                            REPLACE(
                              REPLACE(
                                translateUTF8(
                                  normalizeUTF8NFC(
                                    replaceRegexpAll(
                                      normalizeUTF8NFD(lowerUTF8(CAST("of newest"."street" AS Nullable(String)))),
                                      '\\p{M}+',
                                      ''
                                    )
                                  ),
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
                          '(?-s)[^\\p{L}\\p{N}]+',
                          ' '
                        ),
                        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
                        ''
                      ),
                      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
                      ''
                    ),
                    ''
                  ),
                  ''
                ) || ' ',
                '(?-s)(strasse|str) ',
                'st '
              ),
              '(?-s) (street|saint|sankt) ',
              ' st '
            ),
            '(?-s) road ',
            ' rd '
          ),
          '(?-s) (avenue|av) ',
          ' ave '
        ),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "street_key",
  nullIf(
    replaceRegexpOne(extract("of newest"."street", '(?-s)[0-9]+'), '^[\\x{30}]+', ''),
    ''
  ) AS "house_key",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll(
          REPLACE(
            REPLACE(
              REPLACE(
                translateUTF8(
                  normalizeUTF8NFC(
                    replaceRegexpAll(
                      normalizeUTF8NFD(lowerUTF8(CAST("of newest"."city" AS Nullable(String)))),
                      '\\p{M}+',
                      ''
                    )
                  ),
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
          '(?-s)[^\\p{L}\\p{N}]+',
          ' '
        ),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "city_key",
  nullIf(replaceRegexpAll(upperUTF8("of newest"."postal_code"), '(?-s)[^A-Z0-9]', ''), '') AS "postcode_key"
FROM "newest" AS "of newest"
WHERE
  "of newest"."version_rank" = 1 AND NOT "of newest"."is_deleted";

-- records
WITH "every_record" AS (
  SELECT
    "of stg_salesforce_contact"."record_key" AS "record_key",
    "of stg_salesforce_contact"."account" AS "account",
    "of stg_salesforce_contact"."object" AS "object",
    "of stg_salesforce_contact"."record_id" AS "record_id",
    "of stg_salesforce_contact"."converted_to_id" AS "converted_to_id",
    "of stg_salesforce_contact"."is_read_only" AS "is_read_only",
    "of stg_salesforce_contact"."salutation" AS "salutation",
    "of stg_salesforce_contact"."first_name" AS "first_name",
    "of stg_salesforce_contact"."last_name" AS "last_name",
    "of stg_salesforce_contact"."email" AS "email",
    "of stg_salesforce_contact"."phone" AS "phone",
    "of stg_salesforce_contact"."mobile_phone" AS "mobile_phone",
    "of stg_salesforce_contact"."street" AS "street",
    "of stg_salesforce_contact"."city" AS "city",
    "of stg_salesforce_contact"."state" AS "state",
    "of stg_salesforce_contact"."postal_code" AS "postal_code",
    "of stg_salesforce_contact"."country" AS "country",
    "of stg_salesforce_contact"."company" AS "company",
    "of stg_salesforce_contact"."job_title" AS "job_title",
    "of stg_salesforce_contact"."birth_date" AS "birth_date",
    "of stg_salesforce_contact"."opted_out" AS "opted_out",
    "of stg_salesforce_contact"."do_not_call" AS "do_not_call",
    "of stg_salesforce_contact"."member_number" AS "member_number",
    "of stg_salesforce_contact"."created_at" AS "created_at",
    "of stg_salesforce_contact"."modified_at" AS "modified_at",
    "of stg_salesforce_contact"."content_changed_at" AS "content_changed_at",
    "of stg_salesforce_contact"."email_changed_at" AS "email_changed_at",
    "of stg_salesforce_contact"."first_seen_at" AS "first_seen_at",
    "of stg_salesforce_contact"."seen_at" AS "seen_at",
    "of stg_salesforce_contact"."email_key" AS "email_key",
    "of stg_salesforce_contact"."phone_key" AS "phone_key",
    "of stg_salesforce_contact"."mobile_key" AS "mobile_key",
    "of stg_salesforce_contact"."given_key" AS "given_key",
    "of stg_salesforce_contact"."given_first_key" AS "given_first_key",
    "of stg_salesforce_contact"."surname_key" AS "surname_key",
    "of stg_salesforce_contact"."street_key" AS "street_key",
    "of stg_salesforce_contact"."house_key" AS "house_key",
    "of stg_salesforce_contact"."city_key" AS "city_key",
    "of stg_salesforce_contact"."postcode_key" AS "postcode_key"
  FROM "staging"."stg_salesforce_contact" AS "of stg_salesforce_contact"
  UNION ALL
  SELECT
    "of stg_salesforce_lead"."record_key" AS "record_key",
    "of stg_salesforce_lead"."account" AS "account",
    "of stg_salesforce_lead"."object" AS "object",
    "of stg_salesforce_lead"."record_id" AS "record_id",
    "of stg_salesforce_lead"."converted_to_id" AS "converted_to_id",
    "of stg_salesforce_lead"."is_read_only" AS "is_read_only",
    "of stg_salesforce_lead"."salutation" AS "salutation",
    "of stg_salesforce_lead"."first_name" AS "first_name",
    "of stg_salesforce_lead"."last_name" AS "last_name",
    "of stg_salesforce_lead"."email" AS "email",
    "of stg_salesforce_lead"."phone" AS "phone",
    "of stg_salesforce_lead"."mobile_phone" AS "mobile_phone",
    "of stg_salesforce_lead"."street" AS "street",
    "of stg_salesforce_lead"."city" AS "city",
    "of stg_salesforce_lead"."state" AS "state",
    "of stg_salesforce_lead"."postal_code" AS "postal_code",
    "of stg_salesforce_lead"."country" AS "country",
    "of stg_salesforce_lead"."company" AS "company",
    "of stg_salesforce_lead"."job_title" AS "job_title",
    "of stg_salesforce_lead"."birth_date" AS "birth_date",
    "of stg_salesforce_lead"."opted_out" AS "opted_out",
    "of stg_salesforce_lead"."do_not_call" AS "do_not_call",
    "of stg_salesforce_lead"."member_number" AS "member_number",
    "of stg_salesforce_lead"."created_at" AS "created_at",
    "of stg_salesforce_lead"."modified_at" AS "modified_at",
    "of stg_salesforce_lead"."content_changed_at" AS "content_changed_at",
    "of stg_salesforce_lead"."email_changed_at" AS "email_changed_at",
    "of stg_salesforce_lead"."first_seen_at" AS "first_seen_at",
    "of stg_salesforce_lead"."seen_at" AS "seen_at",
    "of stg_salesforce_lead"."email_key" AS "email_key",
    "of stg_salesforce_lead"."phone_key" AS "phone_key",
    "of stg_salesforce_lead"."mobile_key" AS "mobile_key",
    "of stg_salesforce_lead"."given_key" AS "given_key",
    "of stg_salesforce_lead"."given_first_key" AS "given_first_key",
    "of stg_salesforce_lead"."surname_key" AS "surname_key",
    "of stg_salesforce_lead"."street_key" AS "street_key",
    "of stg_salesforce_lead"."house_key" AS "house_key",
    "of stg_salesforce_lead"."city_key" AS "city_key",
    "of stg_salesforce_lead"."postcode_key" AS "postcode_key"
  FROM "staging"."stg_salesforce_lead" AS "of stg_salesforce_lead"
  UNION ALL
  SELECT
    "of stg_dynamics_contact"."record_key" AS "record_key",
    "of stg_dynamics_contact"."account" AS "account",
    "of stg_dynamics_contact"."object" AS "object",
    "of stg_dynamics_contact"."record_id" AS "record_id",
    "of stg_dynamics_contact"."converted_to_id" AS "converted_to_id",
    "of stg_dynamics_contact"."is_read_only" AS "is_read_only",
    "of stg_dynamics_contact"."salutation" AS "salutation",
    "of stg_dynamics_contact"."first_name" AS "first_name",
    "of stg_dynamics_contact"."last_name" AS "last_name",
    "of stg_dynamics_contact"."email" AS "email",
    "of stg_dynamics_contact"."phone" AS "phone",
    "of stg_dynamics_contact"."mobile_phone" AS "mobile_phone",
    "of stg_dynamics_contact"."street" AS "street",
    "of stg_dynamics_contact"."city" AS "city",
    "of stg_dynamics_contact"."state" AS "state",
    "of stg_dynamics_contact"."postal_code" AS "postal_code",
    "of stg_dynamics_contact"."country" AS "country",
    "of stg_dynamics_contact"."company" AS "company",
    "of stg_dynamics_contact"."job_title" AS "job_title",
    "of stg_dynamics_contact"."birth_date" AS "birth_date",
    "of stg_dynamics_contact"."opted_out" AS "opted_out",
    "of stg_dynamics_contact"."do_not_call" AS "do_not_call",
    "of stg_dynamics_contact"."member_number" AS "member_number",
    "of stg_dynamics_contact"."created_at" AS "created_at",
    "of stg_dynamics_contact"."modified_at" AS "modified_at",
    "of stg_dynamics_contact"."content_changed_at" AS "content_changed_at",
    "of stg_dynamics_contact"."email_changed_at" AS "email_changed_at",
    "of stg_dynamics_contact"."first_seen_at" AS "first_seen_at",
    "of stg_dynamics_contact"."seen_at" AS "seen_at",
    "of stg_dynamics_contact"."email_key" AS "email_key",
    "of stg_dynamics_contact"."phone_key" AS "phone_key",
    "of stg_dynamics_contact"."mobile_key" AS "mobile_key",
    "of stg_dynamics_contact"."given_key" AS "given_key",
    "of stg_dynamics_contact"."given_first_key" AS "given_first_key",
    "of stg_dynamics_contact"."surname_key" AS "surname_key",
    "of stg_dynamics_contact"."street_key" AS "street_key",
    "of stg_dynamics_contact"."house_key" AS "house_key",
    "of stg_dynamics_contact"."city_key" AS "city_key",
    "of stg_dynamics_contact"."postcode_key" AS "postcode_key"
  FROM "staging"."stg_dynamics_contact" AS "of stg_dynamics_contact"
  UNION ALL
  SELECT
    "of stg_dynamics_lead"."record_key" AS "record_key",
    "of stg_dynamics_lead"."account" AS "account",
    "of stg_dynamics_lead"."object" AS "object",
    "of stg_dynamics_lead"."record_id" AS "record_id",
    "of stg_dynamics_lead"."converted_to_id" AS "converted_to_id",
    "of stg_dynamics_lead"."is_read_only" AS "is_read_only",
    "of stg_dynamics_lead"."salutation" AS "salutation",
    "of stg_dynamics_lead"."first_name" AS "first_name",
    "of stg_dynamics_lead"."last_name" AS "last_name",
    "of stg_dynamics_lead"."email" AS "email",
    "of stg_dynamics_lead"."phone" AS "phone",
    "of stg_dynamics_lead"."mobile_phone" AS "mobile_phone",
    "of stg_dynamics_lead"."street" AS "street",
    "of stg_dynamics_lead"."city" AS "city",
    "of stg_dynamics_lead"."state" AS "state",
    "of stg_dynamics_lead"."postal_code" AS "postal_code",
    "of stg_dynamics_lead"."country" AS "country",
    "of stg_dynamics_lead"."company" AS "company",
    "of stg_dynamics_lead"."job_title" AS "job_title",
    "of stg_dynamics_lead"."birth_date" AS "birth_date",
    "of stg_dynamics_lead"."opted_out" AS "opted_out",
    "of stg_dynamics_lead"."do_not_call" AS "do_not_call",
    "of stg_dynamics_lead"."member_number" AS "member_number",
    "of stg_dynamics_lead"."created_at" AS "created_at",
    "of stg_dynamics_lead"."modified_at" AS "modified_at",
    "of stg_dynamics_lead"."content_changed_at" AS "content_changed_at",
    "of stg_dynamics_lead"."email_changed_at" AS "email_changed_at",
    "of stg_dynamics_lead"."first_seen_at" AS "first_seen_at",
    "of stg_dynamics_lead"."seen_at" AS "seen_at",
    "of stg_dynamics_lead"."email_key" AS "email_key",
    "of stg_dynamics_lead"."phone_key" AS "phone_key",
    "of stg_dynamics_lead"."mobile_key" AS "mobile_key",
    "of stg_dynamics_lead"."given_key" AS "given_key",
    "of stg_dynamics_lead"."given_first_key" AS "given_first_key",
    "of stg_dynamics_lead"."surname_key" AS "surname_key",
    "of stg_dynamics_lead"."street_key" AS "street_key",
    "of stg_dynamics_lead"."house_key" AS "house_key",
    "of stg_dynamics_lead"."city_key" AS "city_key",
    "of stg_dynamics_lead"."postcode_key" AS "postcode_key"
  FROM "staging"."stg_dynamics_lead" AS "of stg_dynamics_lead"
), "given_names" AS (
  SELECT
    "of every_record"."given_key" AS "given_key",
    COUNT(DISTINCT "of every_record"."surname_key") AS "surnames"
  FROM "every_record" AS "of every_record"
  WHERE
    NOT (
      "of every_record"."given_key" IS NULL
    )
  GROUP BY
    "of every_record"."given_key"
)
SELECT
  ROW_NUMBER() OVER (ORDER BY "of every_record"."record_key") AS "record_no",
  "of every_record"."record_key" AS "record_key",
  "of every_record"."account" AS "account",
  "of every_record"."object" AS "object",
  "of every_record"."record_id" AS "record_id",
  "of every_record"."converted_to_id" AS "converted_to_id",
  "of every_record"."is_read_only" AS "is_read_only",
  "of every_record"."salutation" AS "salutation",
  "of every_record"."first_name" AS "first_name",
  "of every_record"."last_name" AS "last_name",
  "of every_record"."email" AS "email",
  "of every_record"."phone" AS "phone",
  "of every_record"."mobile_phone" AS "mobile_phone",
  "of every_record"."street" AS "street",
  "of every_record"."city" AS "city",
  "of every_record"."state" AS "state",
  "of every_record"."postal_code" AS "postal_code",
  "of every_record"."country" AS "country",
  "of every_record"."company" AS "company",
  "of every_record"."job_title" AS "job_title",
  "of every_record"."birth_date" AS "birth_date",
  "of every_record"."opted_out" AS "opted_out",
  "of every_record"."do_not_call" AS "do_not_call",
  "of every_record"."member_number" AS "member_number",
  "of every_record"."created_at" AS "created_at",
  "of every_record"."modified_at" AS "modified_at",
  "of every_record"."content_changed_at" AS "content_changed_at",
  "of every_record"."email_changed_at" AS "email_changed_at",
  "of every_record"."first_seen_at" AS "first_seen_at",
  "of every_record"."seen_at" AS "seen_at",
  "of every_record"."email_key" AS "email_key",
  "of every_record"."phone_key" AS "phone_key",
  "of every_record"."mobile_key" AS "mobile_key",
  "of every_record"."given_key" AS "given_key",
  "of every_record"."given_first_key" AS "given_first_key",
  "of every_record"."surname_key" AS "surname_key",
  "of every_record"."street_key" AS "street_key",
  "of every_record"."house_key" AS "house_key",
  "of every_record"."city_key" AS "city_key",
  "of every_record"."postcode_key" AS "postcode_key",
  nullIf(
    replaceRegexpOne(
      replaceRegexpOne(
        replaceRegexpAll(
          replaceRegexpAll(
            ' ' || "of every_record"."street_key" || ' ',
            '(?-s) ([0-9]+[a-z]?|st|rd|ave|lane|place|court|close|drive|crescent|circuit|way|square|boulevard|blvd|platz|weg|allee|rue|place|impasse|chemin|allee|calle|avenida|plaza|paseo|camino|ul|al|os|via|piazza|corso|ulica|the|de|la|le|les|du|des|del|der|den|dem|am|im|an|zum|zur)( ([0-9]+[a-z]?|st|rd|ave|lane|place|rue|de|la|le|les|du|des|del|der|the))* ',
            ' '
          ),
          '(?-s) +',
          ' '
        ),
        '^[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+',
        ''
      ),
      '[\\x{20}\\x{A0}\\x{1680}\\x{2000}\\x{2001}\\x{2002}\\x{2003}\\x{2004}\\x{2005}\\x{2006}\\x{2007}\\x{2008}\\x{2009}\\x{200A}\\x{202F}\\x{205F}\\x{3000}]+$',
      ''
    ),
    ''
  ) AS "road_key",
  substringUTF8(
    substringUTF8("of every_record"."given_key", 1, 1) || REPLACE(
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
                                  translateUTF8(
                                    substringUTF8("of every_record"."given_key", 2),
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
  ) AS "given_sound",
  substringUTF8(
    substringUTF8("of every_record"."surname_key", 1, 1) || REPLACE(
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
                                  translateUTF8(
                                    substringUTF8("of every_record"."surname_key", 2),
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
  ) AS "surname_sound",
  COALESCE("of given_names"."surnames", 0) AS "given_surnames"
FROM "every_record" AS "of every_record"
LEFT JOIN "given_names" AS "of given_names"
  ON "of every_record"."given_key" = "of given_names"."given_key";

-- candidates
WITH "sounds" AS (
  SELECT
    "of records"."record_no" AS "record_no",
    "of records"."email_key" AS "email_key",
    "of records"."given_key" AS "given_key",
    "of records"."surname_key" AS "surname_key",
    "of records"."given_sound" AS "given_sound",
    "of records"."surname_sound" AS "surname_sound",
    "of records"."phone_key" AS "phone_key",
    "of records"."mobile_key" AS "mobile_key",
    CASE
      WHEN "of records"."given_sound" < "of records"."surname_sound"
      THEN "of records"."given_sound" || "of records"."surname_sound"
      ELSE "of records"."surname_sound" || "of records"."given_sound"
    END AS "both_sounds",
    formatDateTime("of records"."birth_date", '%Y%m%d') AS "birth",
    substringUTF8(formatDateTime("of records"."birth_date", '%Y%m%d'), 1, 4) AS "birth_year",
    substringUTF8(formatDateTime("of records"."birth_date", '%Y%m%d'), 5, 4) AS "birth_day",
    "of records"."postcode_key" AS "postcode_key",
    "of records"."house_key" AS "house_key",
    substringUTF8("of records"."city_key", 1, 5) AS "city_start",
    substringUTF8("of records"."street_key", 1, 5) AS "street_start"
  FROM "matching"."records" AS "of records"
), "keyed" AS (
  SELECT
    "of sounds"."record_no" AS "record_no",
    'email|' || "of sounds"."email_key" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'email name|' || "of sounds"."email_key" || '|' || "of sounds"."given_key" || '|' || "of sounds"."surname_key" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'phone|' || "of sounds"."phone_key" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'phone|' || "of sounds"."mobile_key" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'phone name|' || "of sounds"."phone_key" || '|' || "of sounds"."both_sounds" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'phone name|' || "of sounds"."mobile_key" || '|' || "of sounds"."both_sounds" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'birth name|' || "of sounds"."birth" || '|' || "of sounds"."given_sound" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'birth name|' || "of sounds"."birth" || '|' || "of sounds"."surname_sound" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'birth place|' || "of sounds"."birth" || '|' || "of sounds"."postcode_key" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'birth house|' || "of sounds"."birth" || '|' || "of sounds"."house_key" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'birth city|' || "of sounds"."birth" || '|' || "of sounds"."city_start" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'names year|' || "of sounds"."both_sounds" || '|' || "of sounds"."birth_year" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'names day|' || "of sounds"."both_sounds" || '|' || "of sounds"."birth_day" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'names place|' || "of sounds"."both_sounds" || '|' || "of sounds"."postcode_key" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'names city|' || "of sounds"."both_sounds" || '|' || "of sounds"."city_start" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'names house|' || "of sounds"."both_sounds" || '|' || "of sounds"."house_key" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'name house|' || "of sounds"."given_sound" || '|' || "of sounds"."postcode_key" || '|' || "of sounds"."house_key" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'name house|' || "of sounds"."surname_sound" || '|' || "of sounds"."postcode_key" || '|' || "of sounds"."house_key" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'name street|' || "of sounds"."given_sound" || '|' || "of sounds"."postcode_key" || '|' || "of sounds"."street_start" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'name street|' || "of sounds"."surname_sound" || '|' || "of sounds"."postcode_key" || '|' || "of sounds"."street_start" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'name door|' || "of sounds"."given_sound" || '|' || "of sounds"."street_start" || '|' || "of sounds"."house_key" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'name door|' || "of sounds"."surname_sound" || '|' || "of sounds"."street_start" || '|' || "of sounds"."house_key" AS "block_key"
  FROM "sounds" AS "of sounds"
  UNION ALL
  SELECT
    "of sounds"."record_no" AS "record_no",
    'door|' || "of sounds"."postcode_key" || '|' || "of sounds"."house_key" || '|' || "of sounds"."street_start" AS "block_key"
  FROM "sounds" AS "of sounds"
), "placed" AS (
  SELECT DISTINCT
    "of keyed"."record_no" AS "record_no",
    "of keyed"."block_key" AS "block_key"
  FROM "keyed" AS "of keyed"
  WHERE
    NOT (
      "of keyed"."block_key" IS NULL
    )
), "blocks" AS (
  SELECT
    "of placed"."block_key" AS "block_key"
  FROM "placed" AS "of placed"
  GROUP BY
    "of placed"."block_key"
  HAVING
    COUNT(*) BETWEEN 2 AND 100
), "bounded" AS (
  SELECT
    "of placed"."record_no" AS "record_no",
    "of placed"."block_key" AS "block_key"
  FROM "placed" AS "of placed"
  INNER JOIN "blocks" AS "of blocks"
    ON "of placed"."block_key" = "of blocks"."block_key"
)
SELECT
  "of a"."record_no" AS "record_a",
  "of b"."record_no" AS "record_b"
FROM "bounded" AS "of a"
INNER JOIN "bounded" AS "of b"
  ON "of a"."block_key" = "of b"."block_key"
  AND "of a"."record_no" < "of b"."record_no"
UNION DISTINCT
SELECT
  LEAST("of leads"."record_no", "of contacts"."record_no") AS "_col_0",
  GREATEST("of leads"."record_no", "of contacts"."record_no") AS "_col_1"
FROM "matching"."records" AS "of leads"
INNER JOIN "matching"."records" AS "of contacts"
  ON "of leads"."account" = "of contacts"."account"
  AND "of leads"."converted_to_id" = "of contacts"."record_id";

-- mailboxes
WITH "holders" AS (
  SELECT
    "of records"."email_key" AS "email_key",
    "of records"."given_key" AS "given_key",
    "of records"."given_first_key" AS "given_first_key",
    "of records"."surname_key" AS "surname_key",
    "of records"."birth_date" AS "birth_date",
    MAX("of records"."given_surnames") AS "given_surnames",
    COUNT(*) AS "records"
  FROM "matching"."records" AS "of records"
  WHERE
    NOT (
      "of records"."email_key" IS NULL
    )
  GROUP BY
    "of records"."email_key",
    "of records"."given_key",
    "of records"."given_first_key",
    "of records"."surname_key",
    "of records"."birth_date"
), "counted" AS (
  SELECT
    "of holders"."email_key" AS "email_key",
    SUM("of holders"."records") AS "records",
    COUNT(
      DISTINCT COALESCE("of holders"."given_key", '') || ' ' || COALESCE("of holders"."surname_key", '')
    ) AS "names"
  FROM "holders" AS "of holders"
  GROUP BY
    "of holders"."email_key"
), "contradicting" AS (
  SELECT DISTINCT
    "of a"."email_key" AS "email_key"
  FROM "holders" AS "of a"
  INNER JOIN "holders" AS "of b"
    ON "of a"."email_key" = "of b"."email_key"
  INNER JOIN "counted" AS "of counted"
    ON "of a"."email_key" = "of counted"."email_key"
  WHERE
    "of counted"."names" <= 20
    AND (
      CASE
        WHEN "of a"."birth_date" IS NULL OR "of b"."birth_date" IS NULL
        THEN NULL
        WHEN "of a"."birth_date" = "of b"."birth_date"
        THEN 'same'
        WHEN EXTRACT(YEAR FROM "of a"."birth_date") = EXTRACT(YEAR FROM "of b"."birth_date")
        AND EXTRACT(MONTH FROM "of a"."birth_date") = EXTRACT(DAY FROM "of b"."birth_date")
        AND EXTRACT(DAY FROM "of a"."birth_date") = EXTRACT(MONTH FROM "of b"."birth_date")
        THEN 'near'
        WHEN if(
          formatDateTime("of a"."birth_date", '%Y%m%d') IS NULL
          OR formatDateTime("of b"."birth_date", '%Y%m%d') IS NULL,
          NULL,
          backhaul_damerau_levenshtein(
            assumeNotNull(formatDateTime("of a"."birth_date", '%Y%m%d')),
            assumeNotNull(formatDateTime("of b"."birth_date", '%Y%m%d'))
          )
        ) = 1
        THEN 'near'
        ELSE 'different'
      END = 'different'
      OR (
        CASE
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          )
          THEN 'same'
          WHEN (
            startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
            OR startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            )
          )
          AND LEAST(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) >= 3
          AND ABS(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ) - lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
            AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
          )
          THEN 'near'
          WHEN (
            startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
            OR startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            )
          )
          OR "of a"."given_first_key" = "of b"."given_first_key"
          THEN 'initial'
          WHEN if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_jaro_winkler_similarity(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST(
              lengthUTF8(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              lengthUTF8(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            ) >= 4
            AND (
              if(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                ) IS NULL
                OR (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                ) IS NULL,
                NULL,
                backhaul_jaro_winkler_similarity(
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" = "of b"."surname_key"
                        THEN "of a"."surname_key"
                        ELSE "of a"."given_key"
                      END
                    )
                  ),
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" <> "of b"."surname_key"
                        THEN "of b"."surname_key"
                        ELSE "of b"."given_key"
                      END
                    )
                  )
                )
              ) >= 0.919999999
              OR (
                if(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" = "of b"."surname_key"
                      THEN "of a"."surname_key"
                      ELSE "of a"."given_key"
                    END
                  ) IS NULL
                  OR (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" <> "of b"."surname_key"
                      THEN "of b"."surname_key"
                      ELSE "of b"."given_key"
                    END
                  ) IS NULL,
                  NULL,
                  backhaul_jaro_winkler_similarity(
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
                        END
                      )
                    )
                  )
                ) >= 0.7
                AND if(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" = "of b"."surname_key"
                      THEN "of a"."surname_key"
                      ELSE "of a"."given_key"
                    END
                  ) IS NULL
                  OR (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" <> "of b"."surname_key"
                      THEN "of b"."surname_key"
                      ELSE "of b"."given_key"
                    END
                  ) IS NULL,
                  NULL,
                  backhaul_damerau_levenshtein(
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
                        END
                      )
                    )
                  )
                ) <= CASE
                  WHEN LEAST(
                    lengthUTF8(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    lengthUTF8(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
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
              LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
              AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
            AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
          )
          AND LEAST(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) >= 5
          AND if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_damerau_levenshtein(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) <= 2
          THEN 'near'
          WHEN if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_jaro_winkler_similarity(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) >= 0.799999999
          THEN 'loose'
          ELSE 'different'
        END IN ('different', 'loose')
        AND CASE
          WHEN "of a"."birth_date" IS NULL OR "of b"."birth_date" IS NULL
          THEN NULL
          WHEN "of a"."birth_date" = "of b"."birth_date"
          THEN 'same'
          WHEN EXTRACT(YEAR FROM "of a"."birth_date") = EXTRACT(YEAR FROM "of b"."birth_date")
          AND EXTRACT(MONTH FROM "of a"."birth_date") = EXTRACT(DAY FROM "of b"."birth_date")
          AND EXTRACT(DAY FROM "of a"."birth_date") = EXTRACT(MONTH FROM "of b"."birth_date")
          THEN 'near'
          WHEN if(
            formatDateTime("of a"."birth_date", '%Y%m%d') IS NULL
            OR formatDateTime("of b"."birth_date", '%Y%m%d') IS NULL,
            NULL,
            backhaul_damerau_levenshtein(
              assumeNotNull(formatDateTime("of a"."birth_date", '%Y%m%d')),
              assumeNotNull(formatDateTime("of b"."birth_date", '%Y%m%d'))
            )
          ) = 1
          THEN 'near'
          ELSE 'different'
        END IS DISTINCT FROM 'same'
      )
      OR CASE
        WHEN (
          CASE
            WHEN COALESCE(
              (
                "of a"."given_key" = "of b"."surname_key"
                OR "of a"."surname_key" = "of b"."given_key"
              )
              AND "of a"."given_key" <> "of b"."given_key"
              AND "of a"."surname_key" <> "of b"."surname_key",
              FALSE
            )
            AND "of a"."given_key" = "of b"."surname_key"
            THEN "of a"."surname_key"
            ELSE "of a"."given_key"
          END
        ) IS NULL
        OR (
          CASE
            WHEN COALESCE(
              (
                "of a"."given_key" = "of b"."surname_key"
                OR "of a"."surname_key" = "of b"."given_key"
              )
              AND "of a"."given_key" <> "of b"."given_key"
              AND "of a"."surname_key" <> "of b"."surname_key",
              FALSE
            )
            AND "of a"."given_key" <> "of b"."surname_key"
            THEN "of b"."surname_key"
            ELSE "of b"."given_key"
          END
        ) IS NULL
        THEN NULL
        WHEN (
          CASE
            WHEN COALESCE(
              (
                "of a"."given_key" = "of b"."surname_key"
                OR "of a"."surname_key" = "of b"."given_key"
              )
              AND "of a"."given_key" <> "of b"."given_key"
              AND "of a"."surname_key" <> "of b"."surname_key",
              FALSE
            )
            AND "of a"."given_key" = "of b"."surname_key"
            THEN "of a"."surname_key"
            ELSE "of a"."given_key"
          END
        ) = (
          CASE
            WHEN COALESCE(
              (
                "of a"."given_key" = "of b"."surname_key"
                OR "of a"."surname_key" = "of b"."given_key"
              )
              AND "of a"."given_key" <> "of b"."given_key"
              AND "of a"."surname_key" <> "of b"."surname_key",
              FALSE
            )
            AND "of a"."given_key" <> "of b"."surname_key"
            THEN "of b"."surname_key"
            ELSE "of b"."given_key"
          END
        )
        THEN 'same'
        WHEN (
          startsWith(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            )
          )
          OR startsWith(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            )
          )
        )
        AND LEAST(
          lengthUTF8(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            )
          ),
          lengthUTF8(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            )
          )
        ) >= 3
        AND ABS(
          lengthUTF8(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            )
          ) - lengthUTF8(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            )
          )
        ) = 1
        AND NOT (
          LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
          AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
        )
        THEN 'near'
        WHEN (
          startsWith(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            )
          )
          OR startsWith(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            )
          )
        )
        OR "of a"."given_first_key" = "of b"."given_first_key"
        THEN 'initial'
        WHEN if(
          (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          ) IS NULL,
          NULL,
          backhaul_jaro_winkler_similarity(
            assumeNotNull(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            assumeNotNull(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          )
        ) < 0.7
        THEN 'different'
        WHEN (
          LEAST(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) >= 4
          AND (
            if(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              ) IS NULL
              OR (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              ) IS NULL,
              NULL,
              backhaul_jaro_winkler_similarity(
                assumeNotNull(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" = "of b"."surname_key"
                      THEN "of a"."surname_key"
                      ELSE "of a"."given_key"
                    END
                  )
                ),
                assumeNotNull(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" <> "of b"."surname_key"
                      THEN "of b"."surname_key"
                      ELSE "of b"."given_key"
                    END
                  )
                )
              )
            ) >= 0.919999999
            OR (
              if(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                ) IS NULL
                OR (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                ) IS NULL,
                NULL,
                backhaul_jaro_winkler_similarity(
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" = "of b"."surname_key"
                        THEN "of a"."surname_key"
                        ELSE "of a"."given_key"
                      END
                    )
                  ),
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" <> "of b"."surname_key"
                        THEN "of b"."surname_key"
                        ELSE "of b"."given_key"
                      END
                    )
                  )
                )
              ) >= 0.7
              AND if(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                ) IS NULL
                OR (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                ) IS NULL,
                NULL,
                backhaul_damerau_levenshtein(
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" = "of b"."surname_key"
                        THEN "of a"."surname_key"
                        ELSE "of a"."given_key"
                      END
                    )
                  ),
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" <> "of b"."surname_key"
                        THEN "of b"."surname_key"
                        ELSE "of b"."given_key"
                      END
                    )
                  )
                )
              ) <= CASE
                WHEN LEAST(
                  lengthUTF8(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" = "of b"."surname_key"
                        THEN "of a"."surname_key"
                        ELSE "of a"."given_key"
                      END
                    )
                  ),
                  lengthUTF8(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" <> "of b"."surname_key"
                        THEN "of b"."surname_key"
                        ELSE "of b"."given_key"
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
            LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
            AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
          )
          THEN 'loose'
          ELSE 'near'
        END
        WHEN NOT (
          LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
          AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
        )
        AND LEAST(
          lengthUTF8(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            )
          ),
          lengthUTF8(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            )
          )
        ) >= 5
        AND if(
          (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          ) IS NULL,
          NULL,
          backhaul_damerau_levenshtein(
            assumeNotNull(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            assumeNotNull(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          )
        ) <= 2
        THEN 'near'
        WHEN if(
          (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          ) IS NULL,
          NULL,
          backhaul_jaro_winkler_similarity(
            assumeNotNull(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            assumeNotNull(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          )
        ) >= 0.799999999
        THEN 'loose'
        ELSE 'different'
      END = 'different'
    )
)
SELECT
  "of counted"."email_key" AS "email_key",
  "of counted"."records" AS "records",
  "of counted"."names" AS "names",
  CAST("of counted"."names" > 20 AS Nullable(Bool)) AS "is_stand_in",
  CAST("of counted"."names" > 20
  OR NOT (
    "of contradicting"."email_key" IS NULL
  )
  OR match(
    "of counted"."email_key",
    '(?-s)^(info|office|contact|kontakt|contacto|kontor|biuro|buero|bureau|sales|vertrieb|service|support|help|hello|hallo|team|admin|mail|post|marketing|accounts?|billing|empfang|reception|sekretariat|secretary|noreply|no-reply|none|test|unknown|familie|family)([._-][a-z0-9]+)?@'
  ) AS Nullable(Bool)) AS "is_shared"
FROM "counted" AS "of counted"
LEFT JOIN "contradicting" AS "of contradicting"
  ON "of counted"."email_key" = "of contradicting"."email_key";

-- pairs
WITH "oriented" AS (
  SELECT
    "of candidates"."record_a" AS "record_a",
    "of candidates"."record_b" AS "record_b",
    CAST(COALESCE(
      (
        "of a"."given_key" = "of b"."surname_key"
        OR "of a"."surname_key" = "of b"."given_key"
      )
      AND "of a"."given_key" <> "of b"."given_key"
      AND "of a"."surname_key" <> "of b"."surname_key",
      FALSE
    ) AS Nullable(Bool)) AS "is_swapped",
    CASE
      WHEN COALESCE(
        (
          "of a"."given_key" = "of b"."surname_key"
          OR "of a"."surname_key" = "of b"."given_key"
        )
        AND "of a"."given_key" <> "of b"."given_key"
        AND "of a"."surname_key" <> "of b"."surname_key",
        FALSE
      )
      AND "of a"."given_key" = "of b"."surname_key"
      THEN "of a"."surname_key"
      ELSE "of a"."given_key"
    END AS "given_one",
    CASE
      WHEN COALESCE(
        (
          "of a"."given_key" = "of b"."surname_key"
          OR "of a"."surname_key" = "of b"."given_key"
        )
        AND "of a"."given_key" <> "of b"."given_key"
        AND "of a"."surname_key" <> "of b"."surname_key",
        FALSE
      )
      AND "of a"."given_key" <> "of b"."surname_key"
      THEN "of b"."surname_key"
      ELSE "of b"."given_key"
    END AS "given_other",
    CAST(COALESCE(
      (
        LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
        AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
      ),
      FALSE
    ) AS Nullable(Bool)) AS "are_two_names",
    CAST(COALESCE("of a"."given_first_key" = "of b"."given_first_key", FALSE) AS Nullable(Bool)) AS "have_first_word"
  FROM "matching"."candidates" AS "of candidates"
  INNER JOIN "matching"."records" AS "of a"
    ON "of candidates"."record_a" = "of a"."record_no"
  INNER JOIN "matching"."records" AS "of b"
    ON "of candidates"."record_b" = "of b"."record_no"
), "compared" AS (
  SELECT
    "of oriented"."record_a" AS "record_a",
    "of oriented"."record_b" AS "record_b",
    "of oriented"."is_swapped" AS "is_swapped",
    "of oriented"."are_two_names" AS "are_two_names",
    CASE
      WHEN "of oriented"."given_one" IS NULL OR "of oriented"."given_other" IS NULL
      THEN NULL
      WHEN "of oriented"."given_one" = "of oriented"."given_other"
      THEN 'same'
      WHEN (
        startsWith("of oriented"."given_one", "of oriented"."given_other")
        OR startsWith("of oriented"."given_other", "of oriented"."given_one")
      )
      AND LEAST(lengthUTF8("of oriented"."given_one"), lengthUTF8("of oriented"."given_other")) >= 3
      AND ABS(lengthUTF8("of oriented"."given_one") - lengthUTF8("of oriented"."given_other")) = 1
      AND NOT "of oriented"."are_two_names"
      THEN 'near'
      WHEN (
        startsWith("of oriented"."given_one", "of oriented"."given_other")
        OR startsWith("of oriented"."given_other", "of oriented"."given_one")
      )
      OR "of oriented"."have_first_word"
      THEN 'initial'
      WHEN if(
        "of oriented"."given_one" IS NULL OR "of oriented"."given_other" IS NULL,
        NULL,
        backhaul_jaro_winkler_similarity(
          assumeNotNull("of oriented"."given_one"),
          assumeNotNull("of oriented"."given_other")
        )
      ) < 0.7
      THEN 'different'
      WHEN (
        LEAST(lengthUTF8("of oriented"."given_one"), lengthUTF8("of oriented"."given_other")) >= 4
        AND (
          if(
            "of oriented"."given_one" IS NULL OR "of oriented"."given_other" IS NULL,
            NULL,
            backhaul_jaro_winkler_similarity(
              assumeNotNull("of oriented"."given_one"),
              assumeNotNull("of oriented"."given_other")
            )
          ) >= 0.919999999
          OR (
            if(
              "of oriented"."given_one" IS NULL OR "of oriented"."given_other" IS NULL,
              NULL,
              backhaul_jaro_winkler_similarity(
                assumeNotNull("of oriented"."given_one"),
                assumeNotNull("of oriented"."given_other")
              )
            ) >= 0.7
            AND if(
              "of oriented"."given_one" IS NULL OR "of oriented"."given_other" IS NULL,
              NULL,
              backhaul_damerau_levenshtein(
                assumeNotNull("of oriented"."given_one"),
                assumeNotNull("of oriented"."given_other")
              )
            ) <= CASE
              WHEN LEAST(lengthUTF8("of oriented"."given_one"), lengthUTF8("of oriented"."given_other")) >= 8
              THEN 2
              ELSE 1
            END
          )
        )
      )
      THEN CASE WHEN "of oriented"."are_two_names" THEN 'loose' ELSE 'near' END
      WHEN NOT "of oriented"."are_two_names"
      AND LEAST(lengthUTF8("of oriented"."given_one"), lengthUTF8("of oriented"."given_other")) >= 5
      AND if(
        "of oriented"."given_one" IS NULL OR "of oriented"."given_other" IS NULL,
        NULL,
        backhaul_damerau_levenshtein(
          assumeNotNull("of oriented"."given_one"),
          assumeNotNull("of oriented"."given_other")
        )
      ) <= 2
      THEN 'near'
      WHEN if(
        "of oriented"."given_one" IS NULL OR "of oriented"."given_other" IS NULL,
        NULL,
        backhaul_jaro_winkler_similarity(
          assumeNotNull("of oriented"."given_one"),
          assumeNotNull("of oriented"."given_other")
        )
      ) >= 0.799999999
      THEN 'loose'
      ELSE 'different'
    END AS "given_level",
    CASE
      WHEN "of a"."birth_date" IS NULL OR "of b"."birth_date" IS NULL
      THEN NULL
      WHEN "of a"."birth_date" = "of b"."birth_date"
      THEN 'same'
      WHEN EXTRACT(YEAR FROM "of a"."birth_date") = EXTRACT(YEAR FROM "of b"."birth_date")
      AND EXTRACT(MONTH FROM "of a"."birth_date") = EXTRACT(DAY FROM "of b"."birth_date")
      AND EXTRACT(DAY FROM "of a"."birth_date") = EXTRACT(MONTH FROM "of b"."birth_date")
      THEN 'near'
      WHEN if(
        formatDateTime("of a"."birth_date", '%Y%m%d') IS NULL
        OR formatDateTime("of b"."birth_date", '%Y%m%d') IS NULL,
        NULL,
        backhaul_damerau_levenshtein(
          assumeNotNull(formatDateTime("of a"."birth_date", '%Y%m%d')),
          assumeNotNull(formatDateTime("of b"."birth_date", '%Y%m%d'))
        )
      ) = 1
      THEN 'near'
      ELSE 'different'
    END AS "birth_level",
    CASE
      WHEN "of a"."surname_key" IS NULL OR "of b"."surname_key" IS NULL
      THEN NULL
      WHEN "of a"."surname_key" = "of b"."surname_key"
      OR COALESCE(
        (
          "of a"."given_key" = "of b"."surname_key"
          OR "of a"."surname_key" = "of b"."given_key"
        )
        AND "of a"."given_key" <> "of b"."given_key"
        AND "of a"."surname_key" <> "of b"."surname_key",
        FALSE
      )
      THEN 'same'
      WHEN (
        startsWith("of a"."surname_key", "of b"."surname_key")
        OR startsWith("of b"."surname_key", "of a"."surname_key")
      )
      THEN CASE
        WHEN (
          LEAST(lengthUTF8("of a"."surname_key"), lengthUTF8("of b"."surname_key")) >= 4
          AND (
            if(
              "of a"."surname_key" IS NULL OR "of b"."surname_key" IS NULL,
              NULL,
              backhaul_jaro_winkler_similarity(assumeNotNull("of a"."surname_key"), assumeNotNull("of b"."surname_key"))
            ) >= 0.919999999
            OR (
              if(
                "of a"."surname_key" IS NULL OR "of b"."surname_key" IS NULL,
                NULL,
                backhaul_jaro_winkler_similarity(assumeNotNull("of a"."surname_key"), assumeNotNull("of b"."surname_key"))
              ) >= 0.7
              AND if(
                "of a"."surname_key" IS NULL OR "of b"."surname_key" IS NULL,
                NULL,
                backhaul_damerau_levenshtein(assumeNotNull("of a"."surname_key"), assumeNotNull("of b"."surname_key"))
              ) <= CASE
                WHEN LEAST(lengthUTF8("of a"."surname_key"), lengthUTF8("of b"."surname_key")) >= 8
                THEN 2
                ELSE 1
              END
            )
          )
        )
        THEN 'near'
        ELSE 'loose'
      END
      WHEN if(
        "of a"."surname_key" IS NULL OR "of b"."surname_key" IS NULL,
        NULL,
        backhaul_jaro_winkler_similarity(assumeNotNull("of a"."surname_key"), assumeNotNull("of b"."surname_key"))
      ) < 0.7
      THEN 'different'
      WHEN (
        LEAST(lengthUTF8("of a"."surname_key"), lengthUTF8("of b"."surname_key")) >= 4
        AND (
          if(
            "of a"."surname_key" IS NULL OR "of b"."surname_key" IS NULL,
            NULL,
            backhaul_jaro_winkler_similarity(assumeNotNull("of a"."surname_key"), assumeNotNull("of b"."surname_key"))
          ) >= 0.919999999
          OR (
            if(
              "of a"."surname_key" IS NULL OR "of b"."surname_key" IS NULL,
              NULL,
              backhaul_jaro_winkler_similarity(assumeNotNull("of a"."surname_key"), assumeNotNull("of b"."surname_key"))
            ) >= 0.7
            AND if(
              "of a"."surname_key" IS NULL OR "of b"."surname_key" IS NULL,
              NULL,
              backhaul_damerau_levenshtein(assumeNotNull("of a"."surname_key"), assumeNotNull("of b"."surname_key"))
            ) <= CASE
              WHEN LEAST(lengthUTF8("of a"."surname_key"), lengthUTF8("of b"."surname_key")) >= 8
              THEN 2
              ELSE 1
            END
          )
        )
      )
      THEN 'near'
      WHEN if(
        "of a"."surname_key" IS NULL OR "of b"."surname_key" IS NULL,
        NULL,
        backhaul_jaro_winkler_similarity(assumeNotNull("of a"."surname_key"), assumeNotNull("of b"."surname_key"))
      ) >= 0.849999999
      THEN 'loose'
      ELSE 'different'
    END AS "surname_level",
    CASE
      WHEN "of a"."email_key" IS NULL OR "of b"."email_key" IS NULL
      THEN NULL
      WHEN "of a"."email_key" = "of b"."email_key"
      THEN CASE WHEN "of mailboxes"."is_stand_in" THEN NULL ELSE 'same' END
      WHEN ABS(lengthUTF8("of a"."email_key") - lengthUTF8("of b"."email_key")) > 1
      THEN 'different'
      WHEN NOT if(
        "of a"."email_key" IS NULL OR "of b"."email_key" IS NULL,
        NULL,
        backhaul_jaro_winkler_similarity(assumeNotNull("of a"."email_key"), assumeNotNull("of b"."email_key"))
      ) >= 0.899999999
      THEN 'different'
      WHEN if(
        "of a"."email_key" IS NULL OR "of b"."email_key" IS NULL,
        NULL,
        backhaul_damerau_levenshtein(assumeNotNull("of a"."email_key"), assumeNotNull("of b"."email_key"))
      ) = 1
      THEN 'near'
      ELSE 'different'
    END AS "email_level",
    CAST(COALESCE("of a"."email_key" = "of b"."email_key" AND "of mailboxes"."is_shared", FALSE) AS Nullable(Bool)) AS "mailbox_is_shared",
    CASE
      WHEN COALESCE("of a"."phone_key", "of a"."mobile_key") IS NULL
      OR COALESCE("of b"."phone_key", "of b"."mobile_key") IS NULL
      THEN NULL
      WHEN COALESCE("of a"."phone_key" = "of b"."phone_key", FALSE)
      OR COALESCE("of a"."phone_key" = "of b"."mobile_key", FALSE)
      OR COALESCE("of a"."mobile_key" = "of b"."phone_key", FALSE)
      OR COALESCE("of a"."mobile_key" = "of b"."mobile_key", FALSE)
      THEN 'same'
      WHEN ABS(lengthUTF8("of a"."phone_key") - lengthUTF8("of b"."phone_key")) > 1
      THEN 'different'
      WHEN NOT if(
        "of a"."phone_key" IS NULL OR "of b"."phone_key" IS NULL,
        NULL,
        backhaul_jaro_winkler_similarity(assumeNotNull("of a"."phone_key"), assumeNotNull("of b"."phone_key"))
      ) >= 0.799999999
      THEN 'different'
      WHEN lengthUTF8("of a"."phone_key") >= 7
      AND if(
        "of a"."phone_key" IS NULL OR "of b"."phone_key" IS NULL,
        NULL,
        backhaul_damerau_levenshtein(assumeNotNull("of a"."phone_key"), assumeNotNull("of b"."phone_key"))
      ) = 1
      THEN 'near'
      ELSE 'different'
    END AS "phone_level",
    ABS(EXTRACT(YEAR FROM "of a"."birth_date") - EXTRACT(YEAR FROM "of b"."birth_date")) AS "years_apart",
    CAST(COALESCE(
      "of a"."account" = "of b"."account"
      AND (
        "of a"."converted_to_id" = "of b"."record_id"
        OR "of b"."converted_to_id" = "of a"."record_id"
      ),
      FALSE
    ) AS Nullable(Bool)) AS "is_converted"
  FROM "oriented" AS "of oriented"
  INNER JOIN "matching"."records" AS "of a"
    ON "of oriented"."record_a" = "of a"."record_no"
  INNER JOIN "matching"."records" AS "of b"
    ON "of oriented"."record_b" = "of b"."record_no"
  LEFT JOIN "matching"."mailboxes" AS "of mailboxes"
    ON "of a"."email_key" = "of mailboxes"."email_key"
), "hopeful" AS (
  SELECT
    "of compared"."record_a" AS "record_a",
    "of compared"."record_b" AS "record_b",
    "of compared"."given_level" AS "given_level",
    "of compared"."birth_level" AS "birth_level",
    "of compared"."surname_level" AS "surname_level",
    "of compared"."is_swapped" AS "is_swapped",
    "of compared"."are_two_names" AS "are_two_names",
    "of compared"."email_level" AS "email_level",
    "of compared"."mailbox_is_shared" AS "mailbox_is_shared",
    "of compared"."phone_level" AS "phone_level",
    "of compared"."years_apart" AS "years_apart",
    "of compared"."is_converted" AS "is_converted",
    CASE
      WHEN COALESCE("of a"."road_key", "of a"."street_key") IS NULL
      OR COALESCE("of b"."road_key", "of b"."street_key") IS NULL
      THEN NULL
      WHEN "of a"."street_key" = "of b"."street_key"
      OR "of a"."road_key" = "of b"."road_key"
      OR (
        if(
          "of a"."road_key" IS NULL,
          NULL,
          toInt64(
            length(
              arrayIntersect(
                if(
                  "of a"."road_key" IS NULL,
                  emptyArrayString(),
                  splitByString(' ', assumeNotNull("of a"."road_key"))
                ),
                if(
                  "of b"."road_key" IS NULL,
                  emptyArrayString(),
                  splitByString(' ', assumeNotNull("of b"."road_key"))
                )
              )
            )
          )
        ) * 1.0 / nullIf(
          LEAST(
            if(
              "of a"."road_key" IS NULL,
              NULL,
              toInt64(
                length(
                  arrayDistinct(
                    if(
                      "of a"."road_key" IS NULL,
                      emptyArrayString(),
                      splitByString(' ', assumeNotNull("of a"."road_key"))
                    )
                  )
                )
              )
            ),
            if(
              "of b"."road_key" IS NULL,
              NULL,
              toInt64(
                length(
                  arrayDistinct(
                    if(
                      "of b"."road_key" IS NULL,
                      emptyArrayString(),
                      splitByString(' ', assumeNotNull("of b"."road_key"))
                    )
                  )
                )
              )
            )
          ),
          0
        )
      ) >= 0.75
      THEN 'same'
      WHEN (
        if(
          "of a"."road_key" IS NULL,
          NULL,
          toInt64(
            length(
              arrayIntersect(
                if(
                  "of a"."road_key" IS NULL,
                  emptyArrayString(),
                  splitByString(' ', assumeNotNull("of a"."road_key"))
                ),
                if(
                  "of b"."road_key" IS NULL,
                  emptyArrayString(),
                  splitByString(' ', assumeNotNull("of b"."road_key"))
                )
              )
            )
          )
        ) * 1.0 / nullIf(
          LEAST(
            if(
              "of a"."road_key" IS NULL,
              NULL,
              toInt64(
                length(
                  arrayDistinct(
                    if(
                      "of a"."road_key" IS NULL,
                      emptyArrayString(),
                      splitByString(' ', assumeNotNull("of a"."road_key"))
                    )
                  )
                )
              )
            ),
            if(
              "of b"."road_key" IS NULL,
              NULL,
              toInt64(
                length(
                  arrayDistinct(
                    if(
                      "of b"."road_key" IS NULL,
                      emptyArrayString(),
                      splitByString(' ', assumeNotNull("of b"."road_key"))
                    )
                  )
                )
              )
            )
          ),
          0
        )
      ) >= 0.5
      OR if(
        "of a"."road_key" IS NULL OR "of b"."road_key" IS NULL,
        NULL,
        backhaul_jaro_winkler_similarity(assumeNotNull("of a"."road_key"), assumeNotNull("of b"."road_key"))
      ) >= 0.879999999
      THEN 'near'
      ELSE 'different'
    END AS "street_level",
    CASE
      WHEN "of a"."house_key" IS NULL OR "of b"."house_key" IS NULL
      THEN NULL
      WHEN "of a"."house_key" = "of b"."house_key"
      THEN 'same'
      WHEN GREATEST(lengthUTF8("of a"."house_key"), lengthUTF8("of b"."house_key")) >= 2
      AND if(
        "of a"."house_key" IS NULL OR "of b"."house_key" IS NULL,
        NULL,
        backhaul_damerau_levenshtein(assumeNotNull("of a"."house_key"), assumeNotNull("of b"."house_key"))
      ) = 1
      THEN 'near'
      ELSE 'different'
    END AS "house_level",
    CASE
      WHEN "of a"."postcode_key" = "of b"."postcode_key"
      AND "of a"."city_key" = "of b"."city_key"
      THEN 'same'
      WHEN "of a"."postcode_key" = "of b"."postcode_key"
      THEN 'postcode'
      WHEN "of a"."city_key" = "of b"."city_key"
      AND (
        "of a"."postcode_key" IS NULL OR "of b"."postcode_key" IS NULL
      )
      THEN 'town'
      WHEN if(
        "of a"."postcode_key" IS NULL OR "of b"."postcode_key" IS NULL,
        NULL,
        backhaul_damerau_levenshtein(assumeNotNull("of a"."postcode_key"), assumeNotNull("of b"."postcode_key"))
      ) = 1
      THEN 'near'
      WHEN "of a"."city_key" = "of b"."city_key"
      THEN 'district'
      WHEN (
        "of a"."postcode_key" IS NULL OR "of b"."postcode_key" IS NULL
      )
      AND if(
        "of a"."city_key" IS NULL OR "of b"."city_key" IS NULL,
        NULL,
        backhaul_jaro_winkler_similarity(assumeNotNull("of a"."city_key"), assumeNotNull("of b"."city_key"))
      ) >= 0.879999999
      THEN 'near'
      WHEN "of a"."postcode_key" <> "of b"."postcode_key"
      OR "of a"."city_key" <> "of b"."city_key"
      THEN 'different'
    END AS "area_level"
  FROM "compared" AS "of compared"
  INNER JOIN "matching"."records" AS "of a"
    ON "of compared"."record_a" = "of a"."record_no"
  INNER JOIN "matching"."records" AS "of b"
    ON "of compared"."record_b" = "of b"."record_no"
  WHERE
    "of compared"."is_converted"
    OR COALESCE("of compared"."given_level", '') IN ('same', 'near', 'initial', 'loose')
    OR "of compared"."birth_level" IN ('same', 'near')
    OR "of compared"."email_level" = 'same'
), "scored" AS (
  SELECT
    "of hopeful"."record_a" AS "record_a",
    "of hopeful"."record_b" AS "record_b",
    "of hopeful"."given_level" AS "given_level",
    "of hopeful"."birth_level" AS "birth_level",
    "of hopeful"."surname_level" AS "surname_level",
    "of hopeful"."is_swapped" AS "is_swapped",
    "of hopeful"."are_two_names" AS "are_two_names",
    "of hopeful"."email_level" AS "email_level",
    "of hopeful"."mailbox_is_shared" AS "mailbox_is_shared",
    "of hopeful"."phone_level" AS "phone_level",
    "of hopeful"."years_apart" AS "years_apart",
    "of hopeful"."is_converted" AS "is_converted",
    "of hopeful"."street_level" AS "street_level",
    "of hopeful"."house_level" AS "house_level",
    "of hopeful"."area_level" AS "area_level",
    CASE WHEN "of hopeful"."is_swapped" THEN -1 ELSE 0 END + CASE "of hopeful"."given_level"
      WHEN 'same'
      THEN 5
      WHEN 'near'
      THEN 4
      WHEN 'initial'
      THEN 2
      WHEN 'loose'
      THEN 2
      ELSE 0
    END + CASE "of hopeful"."surname_level"
      WHEN 'same'
      THEN 7
      WHEN 'near'
      THEN 5
      WHEN 'loose'
      THEN 2
      WHEN 'different'
      THEN -4
      ELSE 0
    END + CASE "of hopeful"."birth_level"
      WHEN 'same'
      THEN 10
      WHEN 'near'
      THEN 3
      WHEN 'different'
      THEN -8
      ELSE 0
    END + CASE "of hopeful"."street_level"
      WHEN 'same'
      THEN 6
      WHEN 'near'
      THEN 4
      WHEN 'different'
      THEN -2
      ELSE 0
    END + CASE "of hopeful"."house_level"
      WHEN 'same'
      THEN 2
      WHEN 'near'
      THEN CASE WHEN "of hopeful"."birth_level" = 'same' THEN 0 ELSE -4 END
      WHEN 'different'
      THEN CASE WHEN "of hopeful"."birth_level" = 'same' THEN -1 ELSE -5 END
      ELSE 0
    END + CASE "of hopeful"."area_level"
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
    END + CASE "of hopeful"."phone_level"
      WHEN 'same'
      THEN 10
      WHEN 'near'
      THEN 4
      WHEN 'different'
      THEN -1
      ELSE 0
    END + CASE
      WHEN "of hopeful"."mailbox_is_shared"
      THEN 0
      ELSE CASE "of hopeful"."email_level"
        WHEN 'same'
        THEN 10
        WHEN 'near'
        THEN 5
        WHEN 'different'
        THEN -1
        ELSE 0
      END
    END AS "points",
    CAST(COALESCE(
      "of hopeful"."given_level" = 'same' AND "of hopeful"."surname_level" = 'same',
      FALSE
    ) AS Nullable(Bool)) AS "is_full_name",
    CAST(COALESCE(
      "of hopeful"."street_level" = 'same'
      AND "of hopeful"."house_level" = 'same'
      AND "of hopeful"."area_level" IN ('same', 'postcode', 'town'),
      FALSE
    ) AS Nullable(Bool)) AS "is_full_address",
    CAST(COALESCE(
      "of hopeful"."given_level" IN ('same', 'near')
      AND "of hopeful"."surname_level" IS DISTINCT FROM 'different',
      FALSE
    )
    OR COALESCE("of hopeful"."birth_level" IN ('same', 'near'), FALSE)
    OR COALESCE(
      "of hopeful"."email_level" = 'same' AND NOT "of hopeful"."mailbox_is_shared",
      FALSE
    ) AS Nullable(Bool)) AS "has_identity"
  FROM "hopeful" AS "of hopeful"
), "judged" AS (
  SELECT
    "of scored"."record_a" AS "record_a",
    "of scored"."record_b" AS "record_b",
    "of scored"."given_level" AS "given_level",
    "of scored"."birth_level" AS "birth_level",
    "of scored"."surname_level" AS "surname_level",
    "of scored"."is_swapped" AS "is_swapped",
    "of scored"."are_two_names" AS "are_two_names",
    "of scored"."email_level" AS "email_level",
    "of scored"."mailbox_is_shared" AS "mailbox_is_shared",
    "of scored"."phone_level" AS "phone_level",
    "of scored"."years_apart" AS "years_apart",
    "of scored"."is_converted" AS "is_converted",
    "of scored"."street_level" AS "street_level",
    "of scored"."house_level" AS "house_level",
    "of scored"."area_level" AS "area_level",
    "of scored"."points" AS "points",
    "of scored"."is_full_name" AS "is_full_name",
    "of scored"."is_full_address" AS "is_full_address",
    "of scored"."has_identity" AS "has_identity",
    CASE
      WHEN "of scored"."is_converted"
      THEN NULL
      WHEN "of scored"."given_level" = 'different'
      THEN 'given names differ'
      WHEN "of scored"."given_level" = 'loose'
      AND NOT (
        COALESCE("of scored"."birth_level", '') IN ('same', 'near')
      )
      THEN 'given names differ'
      WHEN "of scored"."birth_level" = 'different'
      AND NOT (
        "of scored"."is_full_name"
        AND "of scored"."years_apart" < 15
        AND COALESCE(
          "of scored"."is_full_address"
          OR (
            "of scored"."email_level" = 'same' AND "of scored"."phone_level" = 'same'
          ),
          FALSE
        )
      )
      THEN 'birth dates differ'
      WHEN NOT "of scored"."has_identity"
      THEN 'nothing personal agrees'
    END AS "refusal"
  FROM "scored" AS "of scored"
)
SELECT
  "of a"."record_key" AS "record_key_a",
  "of b"."record_key" AS "record_key_b",
  "of judged"."record_a" AS "record_a",
  "of judged"."record_b" AS "record_b",
  "of judged"."points" AS "points",
  CASE
    WHEN NOT (
      "of judged"."refusal" IS NULL
    )
    THEN NULL
    WHEN "of judged"."is_converted"
    THEN 'converted'
    WHEN "of judged"."email_level" = 'same' AND "of judged"."is_full_name"
    THEN 'email'
    WHEN "of judged"."email_level" = 'same'
    AND NOT "of judged"."mailbox_is_shared"
    AND (
      NOT (
        "of judged"."given_level" IS NULL
      )
      OR COALESCE("of judged"."surname_level", 'same') <> 'different'
    )
    THEN 'email'
    WHEN "of judged"."is_full_name" AND "of judged"."phone_level" = 'same'
    THEN 'name_and_phone'
    WHEN "of judged"."is_full_name" AND "of judged"."birth_level" = 'same'
    THEN 'name_and_birth_date'
    WHEN "of judged"."is_full_name" AND "of judged"."is_full_address"
    THEN 'name_and_address'
    WHEN "of judged"."points" >= 18
    THEN 'score'
  END AS "rule",
  "of judged"."refusal" AS "refusal",
  CAST("of judged"."refusal" IN ('given names differ', 'birth dates differ')
  AND (
    FALSE
    OR NOT (
      "of judged"."refusal" = 'given names differ' AND "of judged"."are_two_names"
    )
  )
  AND "of a"."account" <> "of b"."account"
  AND COALESCE("of judged"."email_level", 'same') IN ('same', 'near')
  AND COALESCE("of judged"."phone_level", 'same') IN ('same', 'near')
  AND NOT "of judged"."mailbox_is_shared"
  AND "of judged"."street_level" IN ('same', 'near')
  AND "of judged"."area_level" IN ('same', 'postcode', 'town', 'near')
  AND (
    (
      "of judged"."birth_level" = 'same'
      AND "of judged"."surname_level" IN ('same', 'near')
    )
    OR (
      "of judged"."birth_level" = 'different'
      AND "of judged"."given_level" IN ('same', 'near')
      AND "of judged"."surname_level" IN ('same', 'near')
      AND COALESCE("of judged"."house_level", 'same') = 'same'
    )
  ) AS Nullable(Bool)) AS "is_only_option",
  "of judged"."given_level" AS "given_level",
  "of judged"."surname_level" AS "surname_level",
  "of judged"."is_swapped" AS "is_swapped",
  "of judged"."birth_level" AS "birth_level",
  "of judged"."email_level" AS "email_level",
  "of judged"."mailbox_is_shared" AS "mailbox_is_shared",
  "of judged"."phone_level" AS "phone_level",
  "of judged"."street_level" AS "street_level",
  "of judged"."house_level" AS "house_level",
  "of judged"."area_level" AS "area_level"
FROM "judged" AS "of judged"
INNER JOIN "matching"."records" AS "of a"
  ON "of judged"."record_a" = "of a"."record_no"
INNER JOIN "matching"."records" AS "of b"
  ON "of judged"."record_b" = "of b"."record_no";

-- links
WITH "agreed" AS (
  SELECT
    "of pairs"."record_a" AS "record_a",
    "of pairs"."record_b" AS "record_b",
    "of pairs"."points" AS "points",
    "of pairs"."rule" AS "rule"
  FROM "matching"."pairs" AS "of pairs"
  WHERE
    NOT (
      "of pairs"."rule" IS NULL
    )
), "options" AS (
  SELECT
    "of pairs"."record_a" AS "record_a",
    "of pairs"."record_b" AS "record_b",
    "of pairs"."points" AS "points"
  FROM "matching"."pairs" AS "of pairs"
  WHERE
    "of pairs"."is_only_option" AND TRUE
), "taken" AS (
  SELECT
    "of agreed"."record_a" AS "record_no"
  FROM "agreed" AS "of agreed"
  UNION ALL
  SELECT
    "of agreed"."record_b" AS "record_no"
  FROM "agreed" AS "of agreed"
  UNION ALL
  SELECT
    "of every_option"."record_no" AS "record_no"
  FROM (
    SELECT
      "of options"."record_a" AS "record_no"
    FROM "options" AS "of options"
    UNION ALL
    SELECT
      "of options"."record_b" AS "record_no"
    FROM "options" AS "of options"
  ) AS "of every_option"
  GROUP BY
    "of every_option"."record_no"
  HAVING
    COUNT(*) > 1
), "accepted" AS (
  SELECT
    "of agreed"."record_a" AS "record_a",
    "of agreed"."record_b" AS "record_b",
    "of agreed"."points" AS "points",
    "of agreed"."rule" AS "rule"
  FROM "agreed" AS "of agreed"
  UNION ALL
  SELECT
    "of options"."record_a" AS "record_a",
    "of options"."record_b" AS "record_b",
    0 AS "points",
    'by_exclusion' AS "rule"
  FROM "options" AS "of options"
  WHERE
    NOT multiIf(
      (
        SELECT
          COUNT(*)
        FROM (
          SELECT
            "of taken"."record_no" AS "record_no"
          FROM "taken" AS "of taken"
        ) AS "of rows"
      ) = 0,
      FALSE,
      "of options"."record_a" IS NULL,
      NULL,
      "of options"."record_a" IN (
        SELECT
          "of taken"."record_no" AS "record_no"
        FROM "taken" AS "of taken"
      ),
      TRUE,
      (
        SELECT
          COUNT(*)
        FROM (
          SELECT
            "of taken"."record_no" AS "record_no"
          FROM "taken" AS "of taken"
        ) AS "of rows"
        WHERE
          "of rows"."record_no" IS NULL
      ) > 0,
      NULL,
      FALSE
    )
    AND NOT multiIf(
      (
        SELECT
          COUNT(*)
        FROM (
          SELECT
            "of taken"."record_no" AS "record_no"
          FROM "taken" AS "of taken"
        ) AS "of rows"
      ) = 0,
      FALSE,
      "of options"."record_b" IS NULL,
      NULL,
      "of options"."record_b" IN (
        SELECT
          "of taken"."record_no" AS "record_no"
        FROM "taken" AS "of taken"
      ),
      TRUE,
      (
        SELECT
          COUNT(*)
        FROM (
          SELECT
            "of taken"."record_no" AS "record_no"
          FROM "taken" AS "of taken"
        ) AS "of rows"
        WHERE
          "of rows"."record_no" IS NULL
      ) > 0,
      NULL,
      FALSE
    )
), "both_ways" AS (
  SELECT
    "of accepted"."record_a" AS "a",
    "of accepted"."record_b" AS "b",
    "of accepted"."points" AS "points"
  FROM "accepted" AS "of accepted"
  UNION ALL
  SELECT
    "of accepted"."record_b" AS "a",
    "of accepted"."record_a" AS "b",
    "of accepted"."points" AS "points"
  FROM "accepted" AS "of accepted"
), "between_two" AS (
  SELECT
    "of one"."a" AS "middle",
    CASE
      WHEN "of one"."points" < "of other"."points"
      OR (
        "of one"."points" = "of other"."points" AND "of one"."b" > "of other"."b"
      )
      THEN "of one"."b"
      ELSE "of other"."b"
    END AS "weaker"
  FROM "both_ways" AS "of one"
  INNER JOIN "both_ways" AS "of other"
    ON "of one"."a" = "of other"."a" AND "of one"."b" < "of other"."b"
  INNER JOIN "matching"."records" AS "of a"
    ON "of one"."b" = "of a"."record_no"
  INNER JOIN "matching"."records" AS "of b"
    ON "of other"."b" = "of b"."record_no"
  LEFT JOIN "accepted" AS "of accepted"
    ON "of one"."b" = "of accepted"."record_a"
    AND "of other"."b" = "of accepted"."record_b"
  WHERE
    "of accepted"."record_a" IS NULL
    AND (
      COALESCE(
        CASE
          WHEN "of a"."birth_date" IS NULL OR "of b"."birth_date" IS NULL
          THEN NULL
          WHEN "of a"."birth_date" = "of b"."birth_date"
          THEN 'same'
          WHEN EXTRACT(YEAR FROM "of a"."birth_date") = EXTRACT(YEAR FROM "of b"."birth_date")
          AND EXTRACT(MONTH FROM "of a"."birth_date") = EXTRACT(DAY FROM "of b"."birth_date")
          AND EXTRACT(DAY FROM "of a"."birth_date") = EXTRACT(MONTH FROM "of b"."birth_date")
          THEN 'near'
          WHEN if(
            formatDateTime("of a"."birth_date", '%Y%m%d') IS NULL
            OR formatDateTime("of b"."birth_date", '%Y%m%d') IS NULL,
            NULL,
            backhaul_damerau_levenshtein(
              assumeNotNull(formatDateTime("of a"."birth_date", '%Y%m%d')),
              assumeNotNull(formatDateTime("of b"."birth_date", '%Y%m%d'))
            )
          ) = 1
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
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          )
          THEN 'same'
          WHEN (
            startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
            OR startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            )
          )
          AND LEAST(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) >= 3
          AND ABS(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ) - lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
            AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
          )
          THEN 'near'
          WHEN (
            startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
            OR startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            )
          )
          OR "of a"."given_first_key" = "of b"."given_first_key"
          THEN 'initial'
          WHEN if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_jaro_winkler_similarity(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST(
              lengthUTF8(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              lengthUTF8(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            ) >= 4
            AND (
              if(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                ) IS NULL
                OR (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                ) IS NULL,
                NULL,
                backhaul_jaro_winkler_similarity(
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" = "of b"."surname_key"
                        THEN "of a"."surname_key"
                        ELSE "of a"."given_key"
                      END
                    )
                  ),
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" <> "of b"."surname_key"
                        THEN "of b"."surname_key"
                        ELSE "of b"."given_key"
                      END
                    )
                  )
                )
              ) >= 0.919999999
              OR (
                if(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" = "of b"."surname_key"
                      THEN "of a"."surname_key"
                      ELSE "of a"."given_key"
                    END
                  ) IS NULL
                  OR (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" <> "of b"."surname_key"
                      THEN "of b"."surname_key"
                      ELSE "of b"."given_key"
                    END
                  ) IS NULL,
                  NULL,
                  backhaul_jaro_winkler_similarity(
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
                        END
                      )
                    )
                  )
                ) >= 0.7
                AND if(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" = "of b"."surname_key"
                      THEN "of a"."surname_key"
                      ELSE "of a"."given_key"
                    END
                  ) IS NULL
                  OR (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" <> "of b"."surname_key"
                      THEN "of b"."surname_key"
                      ELSE "of b"."given_key"
                    END
                  ) IS NULL,
                  NULL,
                  backhaul_damerau_levenshtein(
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
                        END
                      )
                    )
                  )
                ) <= CASE
                  WHEN LEAST(
                    lengthUTF8(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    lengthUTF8(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
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
              LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
              AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
            AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
          )
          AND LEAST(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) >= 5
          AND if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_damerau_levenshtein(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) <= 2
          THEN 'near'
          WHEN if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_jaro_winkler_similarity(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
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
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          )
          THEN 'same'
          WHEN (
            startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
            OR startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            )
          )
          AND LEAST(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) >= 3
          AND ABS(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ) - lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
            AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
          )
          THEN 'near'
          WHEN (
            startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
            OR startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            )
          )
          OR "of a"."given_first_key" = "of b"."given_first_key"
          THEN 'initial'
          WHEN if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_jaro_winkler_similarity(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST(
              lengthUTF8(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              lengthUTF8(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            ) >= 4
            AND (
              if(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                ) IS NULL
                OR (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                ) IS NULL,
                NULL,
                backhaul_jaro_winkler_similarity(
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" = "of b"."surname_key"
                        THEN "of a"."surname_key"
                        ELSE "of a"."given_key"
                      END
                    )
                  ),
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" <> "of b"."surname_key"
                        THEN "of b"."surname_key"
                        ELSE "of b"."given_key"
                      END
                    )
                  )
                )
              ) >= 0.919999999
              OR (
                if(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" = "of b"."surname_key"
                      THEN "of a"."surname_key"
                      ELSE "of a"."given_key"
                    END
                  ) IS NULL
                  OR (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" <> "of b"."surname_key"
                      THEN "of b"."surname_key"
                      ELSE "of b"."given_key"
                    END
                  ) IS NULL,
                  NULL,
                  backhaul_jaro_winkler_similarity(
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
                        END
                      )
                    )
                  )
                ) >= 0.7
                AND if(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" = "of b"."surname_key"
                      THEN "of a"."surname_key"
                      ELSE "of a"."given_key"
                    END
                  ) IS NULL
                  OR (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" <> "of b"."surname_key"
                      THEN "of b"."surname_key"
                      ELSE "of b"."given_key"
                    END
                  ) IS NULL,
                  NULL,
                  backhaul_damerau_levenshtein(
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
                        END
                      )
                    )
                  )
                ) <= CASE
                  WHEN LEAST(
                    lengthUTF8(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    lengthUTF8(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
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
              LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
              AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
            AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
          )
          AND LEAST(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) >= 5
          AND if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_damerau_levenshtein(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) <= 2
          THEN 'near'
          WHEN if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_jaro_winkler_similarity(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) >= 0.799999999
          THEN 'loose'
          ELSE 'different'
        END = 'loose'
        AND CASE
          WHEN "of a"."birth_date" IS NULL OR "of b"."birth_date" IS NULL
          THEN NULL
          WHEN "of a"."birth_date" = "of b"."birth_date"
          THEN 'same'
          WHEN EXTRACT(YEAR FROM "of a"."birth_date") = EXTRACT(YEAR FROM "of b"."birth_date")
          AND EXTRACT(MONTH FROM "of a"."birth_date") = EXTRACT(DAY FROM "of b"."birth_date")
          AND EXTRACT(DAY FROM "of a"."birth_date") = EXTRACT(MONTH FROM "of b"."birth_date")
          THEN 'near'
          WHEN if(
            formatDateTime("of a"."birth_date", '%Y%m%d') IS NULL
            OR formatDateTime("of b"."birth_date", '%Y%m%d') IS NULL,
            NULL,
            backhaul_damerau_levenshtein(
              assumeNotNull(formatDateTime("of a"."birth_date", '%Y%m%d')),
              assumeNotNull(formatDateTime("of b"."birth_date", '%Y%m%d'))
            )
          ) = 1
          THEN 'near'
          ELSE 'different'
        END IS DISTINCT FROM 'same',
        FALSE
      )
    )
)
SELECT
  "of accepted"."record_a" AS "record_a",
  "of accepted"."record_b" AS "record_b",
  "of accepted"."points" AS "points",
  "of accepted"."rule" AS "rule"
FROM "accepted" AS "of accepted"
LEFT JOIN (
  SELECT DISTINCT
    LEAST("of between_two"."middle", "of between_two"."weaker") AS "record_a",
    GREATEST("of between_two"."middle", "of between_two"."weaker") AS "record_b"
  FROM "between_two" AS "of between_two"
) AS "of dropped"
  ON "of accepted"."record_a" = "of dropped"."record_a"
  AND "of accepted"."record_b" = "of dropped"."record_b"
WHERE
  "of dropped"."record_a" IS NULL;

-- groups
WITH RECURSIVE "both_ways" AS (
  SELECT
    "of links"."record_a" AS "a",
    "of links"."record_b" AS "b"
  FROM "matching"."links" AS "of links"
  UNION ALL
  SELECT
    "of links"."record_b" AS "a",
    "of links"."record_a" AS "b"
  FROM "matching"."links" AS "of links"
), "labelled" AS (
  SELECT
    "of both_ways"."a" AS "a",
    "of both_ways"."b" AS "b",
    "of both_ways"."a" AS "v"
  FROM "both_ways" AS "of both_ways"
), "reached" AS (
  SELECT DISTINCT
    "of labels"."a" AS "node",
    "of labels"."v" AS "label"
  FROM (
    SELECT
      "of paired"."a" AS "a",
      "of paired"."b" AS "b",
      MIN(
        CASE
          WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
          THEN "of paired"."m" + 0
          ELSE "of paired"."v"
        END
      ) OVER (PARTITION BY "of paired"."a") AS "v"
    FROM (
      SELECT
        "of known"."a" AS "a",
        "of known"."b" AS "b",
        "of known"."v" AS "v",
        MIN("of known"."v") OVER (
          PARTITION BY CASE
            WHEN "of known"."a" < "of known"."b"
            THEN "of known"."a"
            ELSE "of known"."b"
          END, CASE
            WHEN "of known"."a" < "of known"."b"
            THEN "of known"."b"
            ELSE "of known"."a"
          END
        ) AS "m"
      FROM (
        SELECT
          "of paired"."a" AS "a",
          "of paired"."b" AS "b",
          MIN(
            CASE
              WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
              THEN "of paired"."m" + 0
              ELSE "of paired"."v"
            END
          ) OVER (PARTITION BY "of paired"."a") AS "v"
        FROM (
          SELECT
            "of known"."a" AS "a",
            "of known"."b" AS "b",
            "of known"."v" AS "v",
            MIN("of known"."v") OVER (
              PARTITION BY CASE
                WHEN "of known"."a" < "of known"."b"
                THEN "of known"."a"
                ELSE "of known"."b"
              END, CASE
                WHEN "of known"."a" < "of known"."b"
                THEN "of known"."b"
                ELSE "of known"."a"
              END
            ) AS "m"
          FROM (
            SELECT
              "of paired"."a" AS "a",
              "of paired"."b" AS "b",
              MIN(
                CASE
                  WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                  THEN "of paired"."m" + 0
                  ELSE "of paired"."v"
                END
              ) OVER (PARTITION BY "of paired"."a") AS "v"
            FROM (
              SELECT
                "of known"."a" AS "a",
                "of known"."b" AS "b",
                "of known"."v" AS "v",
                MIN("of known"."v") OVER (
                  PARTITION BY CASE
                    WHEN "of known"."a" < "of known"."b"
                    THEN "of known"."a"
                    ELSE "of known"."b"
                  END, CASE
                    WHEN "of known"."a" < "of known"."b"
                    THEN "of known"."b"
                    ELSE "of known"."a"
                  END
                ) AS "m"
              FROM (
                SELECT
                  "of paired"."a" AS "a",
                  "of paired"."b" AS "b",
                  MIN(
                    CASE
                      WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                      THEN "of paired"."m" + 0
                      ELSE "of paired"."v"
                    END
                  ) OVER (PARTITION BY "of paired"."a") AS "v"
                FROM (
                  SELECT
                    "of known"."a" AS "a",
                    "of known"."b" AS "b",
                    "of known"."v" AS "v",
                    MIN("of known"."v") OVER (
                      PARTITION BY CASE
                        WHEN "of known"."a" < "of known"."b"
                        THEN "of known"."a"
                        ELSE "of known"."b"
                      END, CASE
                        WHEN "of known"."a" < "of known"."b"
                        THEN "of known"."b"
                        ELSE "of known"."a"
                      END
                    ) AS "m"
                  FROM (
                    SELECT
                      "of paired"."a" AS "a",
                      "of paired"."b" AS "b",
                      MIN(
                        CASE
                          WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                          THEN "of paired"."m" + 0
                          ELSE "of paired"."v"
                        END
                      ) OVER (PARTITION BY "of paired"."a") AS "v"
                    FROM (
                      SELECT
                        "of known"."a" AS "a",
                        "of known"."b" AS "b",
                        "of known"."v" AS "v",
                        MIN("of known"."v") OVER (
                          PARTITION BY CASE
                            WHEN "of known"."a" < "of known"."b"
                            THEN "of known"."a"
                            ELSE "of known"."b"
                          END, CASE
                            WHEN "of known"."a" < "of known"."b"
                            THEN "of known"."b"
                            ELSE "of known"."a"
                          END
                        ) AS "m"
                      FROM (
                        SELECT
                          "of paired"."a" AS "a",
                          "of paired"."b" AS "b",
                          MIN(
                            CASE
                              WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                              THEN "of paired"."m" + 0
                              ELSE "of paired"."v"
                            END
                          ) OVER (PARTITION BY "of paired"."a") AS "v"
                        FROM (
                          SELECT
                            "of known"."a" AS "a",
                            "of known"."b" AS "b",
                            "of known"."v" AS "v",
                            MIN("of known"."v") OVER (
                              PARTITION BY CASE
                                WHEN "of known"."a" < "of known"."b"
                                THEN "of known"."a"
                                ELSE "of known"."b"
                              END, CASE
                                WHEN "of known"."a" < "of known"."b"
                                THEN "of known"."b"
                                ELSE "of known"."a"
                              END
                            ) AS "m"
                          FROM (
                            SELECT
                              "of paired"."a" AS "a",
                              "of paired"."b" AS "b",
                              MIN(
                                CASE
                                  WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                                  THEN "of paired"."m" + 0
                                  ELSE "of paired"."v"
                                END
                              ) OVER (PARTITION BY "of paired"."a") AS "v"
                            FROM (
                              SELECT
                                "of known"."a" AS "a",
                                "of known"."b" AS "b",
                                "of known"."v" AS "v",
                                MIN("of known"."v") OVER (
                                  PARTITION BY CASE
                                    WHEN "of known"."a" < "of known"."b"
                                    THEN "of known"."a"
                                    ELSE "of known"."b"
                                  END, CASE
                                    WHEN "of known"."a" < "of known"."b"
                                    THEN "of known"."b"
                                    ELSE "of known"."a"
                                  END
                                ) AS "m"
                              FROM (
                                SELECT
                                  "of paired"."a" AS "a",
                                  "of paired"."b" AS "b",
                                  MIN(
                                    CASE
                                      WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                                      THEN "of paired"."m" + 0
                                      ELSE "of paired"."v"
                                    END
                                  ) OVER (PARTITION BY "of paired"."a") AS "v"
                                FROM (
                                  SELECT
                                    "of known"."a" AS "a",
                                    "of known"."b" AS "b",
                                    "of known"."v" AS "v",
                                    MIN("of known"."v") OVER (
                                      PARTITION BY CASE
                                        WHEN "of known"."a" < "of known"."b"
                                        THEN "of known"."a"
                                        ELSE "of known"."b"
                                      END, CASE
                                        WHEN "of known"."a" < "of known"."b"
                                        THEN "of known"."b"
                                        ELSE "of known"."a"
                                      END
                                    ) AS "m"
                                  FROM (
                                    SELECT
                                      "of paired"."a" AS "a",
                                      "of paired"."b" AS "b",
                                      MIN(
                                        CASE
                                          WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                                          THEN "of paired"."m" + 0
                                          ELSE "of paired"."v"
                                        END
                                      ) OVER (PARTITION BY "of paired"."a") AS "v"
                                    FROM (
                                      SELECT
                                        "of known"."a" AS "a",
                                        "of known"."b" AS "b",
                                        "of known"."v" AS "v",
                                        MIN("of known"."v") OVER (
                                          PARTITION BY CASE
                                            WHEN "of known"."a" < "of known"."b"
                                            THEN "of known"."a"
                                            ELSE "of known"."b"
                                          END, CASE
                                            WHEN "of known"."a" < "of known"."b"
                                            THEN "of known"."b"
                                            ELSE "of known"."a"
                                          END
                                        ) AS "m"
                                      FROM (
                                        SELECT
                                          "of paired"."a" AS "a",
                                          "of paired"."b" AS "b",
                                          MIN(
                                            CASE
                                              WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                                              THEN "of paired"."m" + 0
                                              ELSE "of paired"."v"
                                            END
                                          ) OVER (PARTITION BY "of paired"."a") AS "v"
                                        FROM (
                                          SELECT
                                            "of known"."a" AS "a",
                                            "of known"."b" AS "b",
                                            "of known"."v" AS "v",
                                            MIN("of known"."v") OVER (
                                              PARTITION BY CASE
                                                WHEN "of known"."a" < "of known"."b"
                                                THEN "of known"."a"
                                                ELSE "of known"."b"
                                              END, CASE
                                                WHEN "of known"."a" < "of known"."b"
                                                THEN "of known"."b"
                                                ELSE "of known"."a"
                                              END
                                            ) AS "m"
                                          FROM (
                                            SELECT
                                              "of paired"."a" AS "a",
                                              "of paired"."b" AS "b",
                                              MIN(
                                                CASE
                                                  WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                                                  THEN "of paired"."m" + 0
                                                  ELSE "of paired"."v"
                                                END
                                              ) OVER (PARTITION BY "of paired"."a") AS "v"
                                            FROM (
                                              SELECT
                                                "of known"."a" AS "a",
                                                "of known"."b" AS "b",
                                                "of known"."v" AS "v",
                                                MIN("of known"."v") OVER (
                                                  PARTITION BY CASE
                                                    WHEN "of known"."a" < "of known"."b"
                                                    THEN "of known"."a"
                                                    ELSE "of known"."b"
                                                  END, CASE
                                                    WHEN "of known"."a" < "of known"."b"
                                                    THEN "of known"."b"
                                                    ELSE "of known"."a"
                                                  END
                                                ) AS "m"
                                              FROM (
                                                SELECT
                                                  "of paired"."a" AS "a",
                                                  "of paired"."b" AS "b",
                                                  MIN(
                                                    CASE
                                                      WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                                                      THEN "of paired"."m" + 0
                                                      ELSE "of paired"."v"
                                                    END
                                                  ) OVER (PARTITION BY "of paired"."a") AS "v"
                                                FROM (
                                                  SELECT
                                                    "of known"."a" AS "a",
                                                    "of known"."b" AS "b",
                                                    "of known"."v" AS "v",
                                                    MIN("of known"."v") OVER (
                                                      PARTITION BY CASE
                                                        WHEN "of known"."a" < "of known"."b"
                                                        THEN "of known"."a"
                                                        ELSE "of known"."b"
                                                      END, CASE
                                                        WHEN "of known"."a" < "of known"."b"
                                                        THEN "of known"."b"
                                                        ELSE "of known"."a"
                                                      END
                                                    ) AS "m"
                                                  FROM (
                                                    SELECT
                                                      "of labelled"."a" AS "a",
                                                      "of labelled"."b" AS "b",
                                                      "of labelled"."v" AS "v"
                                                    FROM "labelled" AS "of labelled"
                                                  ) AS "of known"
                                                ) AS "of paired"
                                              ) AS "of known"
                                            ) AS "of paired"
                                          ) AS "of known"
                                        ) AS "of paired"
                                      ) AS "of known"
                                    ) AS "of paired"
                                  ) AS "of known"
                                ) AS "of paired"
                              ) AS "of known"
                            ) AS "of paired"
                          ) AS "of known"
                        ) AS "of paired"
                      ) AS "of known"
                    ) AS "of paired"
                  ) AS "of known"
                ) AS "of paired"
              ) AS "of known"
            ) AS "of paired"
          ) AS "of known"
        ) AS "of paired"
      ) AS "of known"
    ) AS "of paired"
  ) AS "of labels"
), "members" AS (
  SELECT
    "of reached"."node" AS "record_no",
    MIN("of reached"."label") AS "group_no"
  FROM "reached" AS "of reached"
  GROUP BY
    "of reached"."node"
), "sizes" AS (
  SELECT
    "of members"."group_no" AS "group_no",
    COUNT(*) AS "records"
  FROM "members" AS "of members"
  GROUP BY
    "of members"."group_no"
), "contradicting" AS (
  SELECT DISTINCT
    "of one"."group_no" AS "group_no"
  FROM "members" AS "of one"
  INNER JOIN "members" AS "of other"
    ON "of one"."group_no" = "of other"."group_no"
    AND "of one"."record_no" < "of other"."record_no"
  INNER JOIN "sizes" AS "of sizes"
    ON "of one"."group_no" = "of sizes"."group_no"
  INNER JOIN "matching"."records" AS "of a"
    ON "of one"."record_no" = "of a"."record_no"
  INNER JOIN "matching"."records" AS "of b"
    ON "of other"."record_no" = "of b"."record_no"
  LEFT JOIN "matching"."links" AS "of links"
    ON "of one"."record_no" = "of links"."record_a"
    AND "of other"."record_no" = "of links"."record_b"
  WHERE
    "of sizes"."records" > 2
    AND "of sizes"."records" <= 60
    AND "of links"."record_a" IS NULL
    AND (
      COALESCE(
        CASE
          WHEN "of a"."birth_date" IS NULL OR "of b"."birth_date" IS NULL
          THEN NULL
          WHEN "of a"."birth_date" = "of b"."birth_date"
          THEN 'same'
          WHEN EXTRACT(YEAR FROM "of a"."birth_date") = EXTRACT(YEAR FROM "of b"."birth_date")
          AND EXTRACT(MONTH FROM "of a"."birth_date") = EXTRACT(DAY FROM "of b"."birth_date")
          AND EXTRACT(DAY FROM "of a"."birth_date") = EXTRACT(MONTH FROM "of b"."birth_date")
          THEN 'near'
          WHEN if(
            formatDateTime("of a"."birth_date", '%Y%m%d') IS NULL
            OR formatDateTime("of b"."birth_date", '%Y%m%d') IS NULL,
            NULL,
            backhaul_damerau_levenshtein(
              assumeNotNull(formatDateTime("of a"."birth_date", '%Y%m%d')),
              assumeNotNull(formatDateTime("of b"."birth_date", '%Y%m%d'))
            )
          ) = 1
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
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          )
          THEN 'same'
          WHEN (
            startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
            OR startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            )
          )
          AND LEAST(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) >= 3
          AND ABS(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ) - lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
            AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
          )
          THEN 'near'
          WHEN (
            startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
            OR startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            )
          )
          OR "of a"."given_first_key" = "of b"."given_first_key"
          THEN 'initial'
          WHEN if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_jaro_winkler_similarity(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST(
              lengthUTF8(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              lengthUTF8(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            ) >= 4
            AND (
              if(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                ) IS NULL
                OR (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                ) IS NULL,
                NULL,
                backhaul_jaro_winkler_similarity(
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" = "of b"."surname_key"
                        THEN "of a"."surname_key"
                        ELSE "of a"."given_key"
                      END
                    )
                  ),
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" <> "of b"."surname_key"
                        THEN "of b"."surname_key"
                        ELSE "of b"."given_key"
                      END
                    )
                  )
                )
              ) >= 0.919999999
              OR (
                if(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" = "of b"."surname_key"
                      THEN "of a"."surname_key"
                      ELSE "of a"."given_key"
                    END
                  ) IS NULL
                  OR (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" <> "of b"."surname_key"
                      THEN "of b"."surname_key"
                      ELSE "of b"."given_key"
                    END
                  ) IS NULL,
                  NULL,
                  backhaul_jaro_winkler_similarity(
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
                        END
                      )
                    )
                  )
                ) >= 0.7
                AND if(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" = "of b"."surname_key"
                      THEN "of a"."surname_key"
                      ELSE "of a"."given_key"
                    END
                  ) IS NULL
                  OR (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" <> "of b"."surname_key"
                      THEN "of b"."surname_key"
                      ELSE "of b"."given_key"
                    END
                  ) IS NULL,
                  NULL,
                  backhaul_damerau_levenshtein(
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
                        END
                      )
                    )
                  )
                ) <= CASE
                  WHEN LEAST(
                    lengthUTF8(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    lengthUTF8(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
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
              LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
              AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
            AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
          )
          AND LEAST(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) >= 5
          AND if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_damerau_levenshtein(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) <= 2
          THEN 'near'
          WHEN if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_jaro_winkler_similarity(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
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
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" = "of b"."surname_key"
              THEN "of a"."surname_key"
              ELSE "of a"."given_key"
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  "of a"."given_key" = "of b"."surname_key"
                  OR "of a"."surname_key" = "of b"."given_key"
                )
                AND "of a"."given_key" <> "of b"."given_key"
                AND "of a"."surname_key" <> "of b"."surname_key",
                FALSE
              )
              AND "of a"."given_key" <> "of b"."surname_key"
              THEN "of b"."surname_key"
              ELSE "of b"."given_key"
            END
          )
          THEN 'same'
          WHEN (
            startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
            OR startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            )
          )
          AND LEAST(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) >= 3
          AND ABS(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ) - lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
            AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
          )
          THEN 'near'
          WHEN (
            startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
            OR startsWith(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            )
          )
          OR "of a"."given_first_key" = "of b"."given_first_key"
          THEN 'initial'
          WHEN if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_jaro_winkler_similarity(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST(
              lengthUTF8(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              lengthUTF8(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            ) >= 4
            AND (
              if(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                ) IS NULL
                OR (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                ) IS NULL,
                NULL,
                backhaul_jaro_winkler_similarity(
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" = "of b"."surname_key"
                        THEN "of a"."surname_key"
                        ELSE "of a"."given_key"
                      END
                    )
                  ),
                  assumeNotNull(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            "of a"."given_key" = "of b"."surname_key"
                            OR "of a"."surname_key" = "of b"."given_key"
                          )
                          AND "of a"."given_key" <> "of b"."given_key"
                          AND "of a"."surname_key" <> "of b"."surname_key",
                          FALSE
                        )
                        AND "of a"."given_key" <> "of b"."surname_key"
                        THEN "of b"."surname_key"
                        ELSE "of b"."given_key"
                      END
                    )
                  )
                )
              ) >= 0.919999999
              OR (
                if(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" = "of b"."surname_key"
                      THEN "of a"."surname_key"
                      ELSE "of a"."given_key"
                    END
                  ) IS NULL
                  OR (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" <> "of b"."surname_key"
                      THEN "of b"."surname_key"
                      ELSE "of b"."given_key"
                    END
                  ) IS NULL,
                  NULL,
                  backhaul_jaro_winkler_similarity(
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
                        END
                      )
                    )
                  )
                ) >= 0.7
                AND if(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" = "of b"."surname_key"
                      THEN "of a"."surname_key"
                      ELSE "of a"."given_key"
                    END
                  ) IS NULL
                  OR (
                    CASE
                      WHEN COALESCE(
                        (
                          "of a"."given_key" = "of b"."surname_key"
                          OR "of a"."surname_key" = "of b"."given_key"
                        )
                        AND "of a"."given_key" <> "of b"."given_key"
                        AND "of a"."surname_key" <> "of b"."surname_key",
                        FALSE
                      )
                      AND "of a"."given_key" <> "of b"."surname_key"
                      THEN "of b"."surname_key"
                      ELSE "of b"."given_key"
                    END
                  ) IS NULL,
                  NULL,
                  backhaul_damerau_levenshtein(
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    assumeNotNull(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
                        END
                      )
                    )
                  )
                ) <= CASE
                  WHEN LEAST(
                    lengthUTF8(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" = "of b"."surname_key"
                          THEN "of a"."surname_key"
                          ELSE "of a"."given_key"
                        END
                      )
                    ),
                    lengthUTF8(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              "of a"."given_key" = "of b"."surname_key"
                              OR "of a"."surname_key" = "of b"."given_key"
                            )
                            AND "of a"."given_key" <> "of b"."given_key"
                            AND "of a"."surname_key" <> "of b"."surname_key",
                            FALSE
                          )
                          AND "of a"."given_key" <> "of b"."surname_key"
                          THEN "of b"."surname_key"
                          ELSE "of b"."given_key"
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
              LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
              AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST("of a"."given_surnames", "of b"."given_surnames") >= 3
            AND GREATEST("of a"."given_surnames", "of b"."given_surnames") <= 20 * LEAST("of a"."given_surnames", "of b"."given_surnames")
          )
          AND LEAST(
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" = "of b"."surname_key"
                  THEN "of a"."surname_key"
                  ELSE "of a"."given_key"
                END
              )
            ),
            lengthUTF8(
              (
                CASE
                  WHEN COALESCE(
                    (
                      "of a"."given_key" = "of b"."surname_key"
                      OR "of a"."surname_key" = "of b"."given_key"
                    )
                    AND "of a"."given_key" <> "of b"."given_key"
                    AND "of a"."surname_key" <> "of b"."surname_key",
                    FALSE
                  )
                  AND "of a"."given_key" <> "of b"."surname_key"
                  THEN "of b"."surname_key"
                  ELSE "of b"."given_key"
                END
              )
            )
          ) >= 5
          AND if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_damerau_levenshtein(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) <= 2
          THEN 'near'
          WHEN if(
            (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" = "of b"."surname_key"
                THEN "of a"."surname_key"
                ELSE "of a"."given_key"
              END
            ) IS NULL
            OR (
              CASE
                WHEN COALESCE(
                  (
                    "of a"."given_key" = "of b"."surname_key"
                    OR "of a"."surname_key" = "of b"."given_key"
                  )
                  AND "of a"."given_key" <> "of b"."given_key"
                  AND "of a"."surname_key" <> "of b"."surname_key",
                  FALSE
                )
                AND "of a"."given_key" <> "of b"."surname_key"
                THEN "of b"."surname_key"
                ELSE "of b"."given_key"
              END
            ) IS NULL,
            NULL,
            backhaul_jaro_winkler_similarity(
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" = "of b"."surname_key"
                    THEN "of a"."surname_key"
                    ELSE "of a"."given_key"
                  END
                )
              ),
              assumeNotNull(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        "of a"."given_key" = "of b"."surname_key"
                        OR "of a"."surname_key" = "of b"."given_key"
                      )
                      AND "of a"."given_key" <> "of b"."given_key"
                      AND "of a"."surname_key" <> "of b"."surname_key",
                      FALSE
                    )
                    AND "of a"."given_key" <> "of b"."surname_key"
                    THEN "of b"."surname_key"
                    ELSE "of b"."given_key"
                  END
                )
              )
            )
          ) >= 0.799999999
          THEN 'loose'
          ELSE 'different'
        END = 'loose'
        AND CASE
          WHEN "of a"."birth_date" IS NULL OR "of b"."birth_date" IS NULL
          THEN NULL
          WHEN "of a"."birth_date" = "of b"."birth_date"
          THEN 'same'
          WHEN EXTRACT(YEAR FROM "of a"."birth_date") = EXTRACT(YEAR FROM "of b"."birth_date")
          AND EXTRACT(MONTH FROM "of a"."birth_date") = EXTRACT(DAY FROM "of b"."birth_date")
          AND EXTRACT(DAY FROM "of a"."birth_date") = EXTRACT(MONTH FROM "of b"."birth_date")
          THEN 'near'
          WHEN if(
            formatDateTime("of a"."birth_date", '%Y%m%d') IS NULL
            OR formatDateTime("of b"."birth_date", '%Y%m%d') IS NULL,
            NULL,
            backhaul_damerau_levenshtein(
              assumeNotNull(formatDateTime("of a"."birth_date", '%Y%m%d')),
              assumeNotNull(formatDateTime("of b"."birth_date", '%Y%m%d'))
            )
          ) = 1
          THEN 'near'
          ELSE 'different'
        END IS DISTINCT FROM 'same',
        FALSE
      )
    )
  UNION DISTINCT
  SELECT
    "of one"."group_no" AS "group_no"
  FROM "both_ways" AS "of both_ways"
  INNER JOIN "members" AS "of one"
    ON "of both_ways"."a" = "of one"."record_no"
  INNER JOIN "members" AS "of other"
    ON "of both_ways"."b" = "of other"."record_no"
  WHERE
    "of one"."group_no" <> "of other"."group_no"
)
SELECT
  "of members"."record_no" AS "record_no",
  "of members"."group_no" AS "group_no",
  "of sizes"."records" AS "records",
  CAST(NOT (
    "of contradicting"."group_no" IS NULL
  ) OR "of sizes"."records" > 60 AS Nullable(Bool)) AS "is_contested"
FROM "members" AS "of members"
INNER JOIN "sizes" AS "of sizes"
  ON "of members"."group_no" = "of sizes"."group_no"
LEFT JOIN "contradicting" AS "of contradicting"
  ON "of members"."group_no" = "of contradicting"."group_no";

-- clusters
WITH RECURSIVE "kept" AS (
  SELECT
    "of links"."record_a" AS "record_a",
    "of links"."record_b" AS "record_b"
  FROM "matching"."links" AS "of links"
  INNER JOIN "matching"."groups" AS "of joined"
    ON "of links"."record_a" = "of joined"."record_no"
  INNER JOIN "matching"."records" AS "of a"
    ON "of links"."record_a" = "of a"."record_no"
  INNER JOIN "matching"."records" AS "of b"
    ON "of links"."record_b" = "of b"."record_no"
  WHERE
    NOT "of joined"."is_contested"
    OR (
      "of a"."given_key" = "of b"."given_key"
      AND "of a"."surname_key" = "of b"."surname_key"
      AND "of a"."birth_date" IS NOT DISTINCT FROM "of b"."birth_date"
    )
), "both_ways" AS (
  SELECT
    "of kept"."record_a" AS "a",
    "of kept"."record_b" AS "b"
  FROM "kept" AS "of kept"
  UNION ALL
  SELECT
    "of kept"."record_b" AS "a",
    "of kept"."record_a" AS "b"
  FROM "kept" AS "of kept"
), "labelled" AS (
  SELECT
    "of both_ways"."a" AS "a",
    "of both_ways"."b" AS "b",
    "of both_ways"."a" AS "v"
  FROM "both_ways" AS "of both_ways"
), "reached" AS (
  SELECT DISTINCT
    "of labels"."a" AS "node",
    "of labels"."v" AS "label"
  FROM (
    SELECT
      "of paired"."a" AS "a",
      "of paired"."b" AS "b",
      MIN(
        CASE
          WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
          THEN "of paired"."m" + 0
          ELSE "of paired"."v"
        END
      ) OVER (PARTITION BY "of paired"."a") AS "v"
    FROM (
      SELECT
        "of known"."a" AS "a",
        "of known"."b" AS "b",
        "of known"."v" AS "v",
        MIN("of known"."v") OVER (
          PARTITION BY CASE
            WHEN "of known"."a" < "of known"."b"
            THEN "of known"."a"
            ELSE "of known"."b"
          END, CASE
            WHEN "of known"."a" < "of known"."b"
            THEN "of known"."b"
            ELSE "of known"."a"
          END
        ) AS "m"
      FROM (
        SELECT
          "of paired"."a" AS "a",
          "of paired"."b" AS "b",
          MIN(
            CASE
              WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
              THEN "of paired"."m" + 0
              ELSE "of paired"."v"
            END
          ) OVER (PARTITION BY "of paired"."a") AS "v"
        FROM (
          SELECT
            "of known"."a" AS "a",
            "of known"."b" AS "b",
            "of known"."v" AS "v",
            MIN("of known"."v") OVER (
              PARTITION BY CASE
                WHEN "of known"."a" < "of known"."b"
                THEN "of known"."a"
                ELSE "of known"."b"
              END, CASE
                WHEN "of known"."a" < "of known"."b"
                THEN "of known"."b"
                ELSE "of known"."a"
              END
            ) AS "m"
          FROM (
            SELECT
              "of paired"."a" AS "a",
              "of paired"."b" AS "b",
              MIN(
                CASE
                  WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                  THEN "of paired"."m" + 0
                  ELSE "of paired"."v"
                END
              ) OVER (PARTITION BY "of paired"."a") AS "v"
            FROM (
              SELECT
                "of known"."a" AS "a",
                "of known"."b" AS "b",
                "of known"."v" AS "v",
                MIN("of known"."v") OVER (
                  PARTITION BY CASE
                    WHEN "of known"."a" < "of known"."b"
                    THEN "of known"."a"
                    ELSE "of known"."b"
                  END, CASE
                    WHEN "of known"."a" < "of known"."b"
                    THEN "of known"."b"
                    ELSE "of known"."a"
                  END
                ) AS "m"
              FROM (
                SELECT
                  "of paired"."a" AS "a",
                  "of paired"."b" AS "b",
                  MIN(
                    CASE
                      WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                      THEN "of paired"."m" + 0
                      ELSE "of paired"."v"
                    END
                  ) OVER (PARTITION BY "of paired"."a") AS "v"
                FROM (
                  SELECT
                    "of known"."a" AS "a",
                    "of known"."b" AS "b",
                    "of known"."v" AS "v",
                    MIN("of known"."v") OVER (
                      PARTITION BY CASE
                        WHEN "of known"."a" < "of known"."b"
                        THEN "of known"."a"
                        ELSE "of known"."b"
                      END, CASE
                        WHEN "of known"."a" < "of known"."b"
                        THEN "of known"."b"
                        ELSE "of known"."a"
                      END
                    ) AS "m"
                  FROM (
                    SELECT
                      "of paired"."a" AS "a",
                      "of paired"."b" AS "b",
                      MIN(
                        CASE
                          WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                          THEN "of paired"."m" + 0
                          ELSE "of paired"."v"
                        END
                      ) OVER (PARTITION BY "of paired"."a") AS "v"
                    FROM (
                      SELECT
                        "of known"."a" AS "a",
                        "of known"."b" AS "b",
                        "of known"."v" AS "v",
                        MIN("of known"."v") OVER (
                          PARTITION BY CASE
                            WHEN "of known"."a" < "of known"."b"
                            THEN "of known"."a"
                            ELSE "of known"."b"
                          END, CASE
                            WHEN "of known"."a" < "of known"."b"
                            THEN "of known"."b"
                            ELSE "of known"."a"
                          END
                        ) AS "m"
                      FROM (
                        SELECT
                          "of paired"."a" AS "a",
                          "of paired"."b" AS "b",
                          MIN(
                            CASE
                              WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                              THEN "of paired"."m" + 0
                              ELSE "of paired"."v"
                            END
                          ) OVER (PARTITION BY "of paired"."a") AS "v"
                        FROM (
                          SELECT
                            "of known"."a" AS "a",
                            "of known"."b" AS "b",
                            "of known"."v" AS "v",
                            MIN("of known"."v") OVER (
                              PARTITION BY CASE
                                WHEN "of known"."a" < "of known"."b"
                                THEN "of known"."a"
                                ELSE "of known"."b"
                              END, CASE
                                WHEN "of known"."a" < "of known"."b"
                                THEN "of known"."b"
                                ELSE "of known"."a"
                              END
                            ) AS "m"
                          FROM (
                            SELECT
                              "of paired"."a" AS "a",
                              "of paired"."b" AS "b",
                              MIN(
                                CASE
                                  WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                                  THEN "of paired"."m" + 0
                                  ELSE "of paired"."v"
                                END
                              ) OVER (PARTITION BY "of paired"."a") AS "v"
                            FROM (
                              SELECT
                                "of known"."a" AS "a",
                                "of known"."b" AS "b",
                                "of known"."v" AS "v",
                                MIN("of known"."v") OVER (
                                  PARTITION BY CASE
                                    WHEN "of known"."a" < "of known"."b"
                                    THEN "of known"."a"
                                    ELSE "of known"."b"
                                  END, CASE
                                    WHEN "of known"."a" < "of known"."b"
                                    THEN "of known"."b"
                                    ELSE "of known"."a"
                                  END
                                ) AS "m"
                              FROM (
                                SELECT
                                  "of paired"."a" AS "a",
                                  "of paired"."b" AS "b",
                                  MIN(
                                    CASE
                                      WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                                      THEN "of paired"."m" + 0
                                      ELSE "of paired"."v"
                                    END
                                  ) OVER (PARTITION BY "of paired"."a") AS "v"
                                FROM (
                                  SELECT
                                    "of known"."a" AS "a",
                                    "of known"."b" AS "b",
                                    "of known"."v" AS "v",
                                    MIN("of known"."v") OVER (
                                      PARTITION BY CASE
                                        WHEN "of known"."a" < "of known"."b"
                                        THEN "of known"."a"
                                        ELSE "of known"."b"
                                      END, CASE
                                        WHEN "of known"."a" < "of known"."b"
                                        THEN "of known"."b"
                                        ELSE "of known"."a"
                                      END
                                    ) AS "m"
                                  FROM (
                                    SELECT
                                      "of paired"."a" AS "a",
                                      "of paired"."b" AS "b",
                                      MIN(
                                        CASE
                                          WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                                          THEN "of paired"."m" + 0
                                          ELSE "of paired"."v"
                                        END
                                      ) OVER (PARTITION BY "of paired"."a") AS "v"
                                    FROM (
                                      SELECT
                                        "of known"."a" AS "a",
                                        "of known"."b" AS "b",
                                        "of known"."v" AS "v",
                                        MIN("of known"."v") OVER (
                                          PARTITION BY CASE
                                            WHEN "of known"."a" < "of known"."b"
                                            THEN "of known"."a"
                                            ELSE "of known"."b"
                                          END, CASE
                                            WHEN "of known"."a" < "of known"."b"
                                            THEN "of known"."b"
                                            ELSE "of known"."a"
                                          END
                                        ) AS "m"
                                      FROM (
                                        SELECT
                                          "of paired"."a" AS "a",
                                          "of paired"."b" AS "b",
                                          MIN(
                                            CASE
                                              WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                                              THEN "of paired"."m" + 0
                                              ELSE "of paired"."v"
                                            END
                                          ) OVER (PARTITION BY "of paired"."a") AS "v"
                                        FROM (
                                          SELECT
                                            "of known"."a" AS "a",
                                            "of known"."b" AS "b",
                                            "of known"."v" AS "v",
                                            MIN("of known"."v") OVER (
                                              PARTITION BY CASE
                                                WHEN "of known"."a" < "of known"."b"
                                                THEN "of known"."a"
                                                ELSE "of known"."b"
                                              END, CASE
                                                WHEN "of known"."a" < "of known"."b"
                                                THEN "of known"."b"
                                                ELSE "of known"."a"
                                              END
                                            ) AS "m"
                                          FROM (
                                            SELECT
                                              "of paired"."a" AS "a",
                                              "of paired"."b" AS "b",
                                              MIN(
                                                CASE
                                                  WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                                                  THEN "of paired"."m" + 0
                                                  ELSE "of paired"."v"
                                                END
                                              ) OVER (PARTITION BY "of paired"."a") AS "v"
                                            FROM (
                                              SELECT
                                                "of known"."a" AS "a",
                                                "of known"."b" AS "b",
                                                "of known"."v" AS "v",
                                                MIN("of known"."v") OVER (
                                                  PARTITION BY CASE
                                                    WHEN "of known"."a" < "of known"."b"
                                                    THEN "of known"."a"
                                                    ELSE "of known"."b"
                                                  END, CASE
                                                    WHEN "of known"."a" < "of known"."b"
                                                    THEN "of known"."b"
                                                    ELSE "of known"."a"
                                                  END
                                                ) AS "m"
                                              FROM (
                                                SELECT
                                                  "of paired"."a" AS "a",
                                                  "of paired"."b" AS "b",
                                                  MIN(
                                                    CASE
                                                      WHEN "of paired"."v" IS NULL OR "of paired"."m" + 0 < "of paired"."v"
                                                      THEN "of paired"."m" + 0
                                                      ELSE "of paired"."v"
                                                    END
                                                  ) OVER (PARTITION BY "of paired"."a") AS "v"
                                                FROM (
                                                  SELECT
                                                    "of known"."a" AS "a",
                                                    "of known"."b" AS "b",
                                                    "of known"."v" AS "v",
                                                    MIN("of known"."v") OVER (
                                                      PARTITION BY CASE
                                                        WHEN "of known"."a" < "of known"."b"
                                                        THEN "of known"."a"
                                                        ELSE "of known"."b"
                                                      END, CASE
                                                        WHEN "of known"."a" < "of known"."b"
                                                        THEN "of known"."b"
                                                        ELSE "of known"."a"
                                                      END
                                                    ) AS "m"
                                                  FROM (
                                                    SELECT
                                                      "of labelled"."a" AS "a",
                                                      "of labelled"."b" AS "b",
                                                      "of labelled"."v" AS "v"
                                                    FROM "labelled" AS "of labelled"
                                                  ) AS "of known"
                                                ) AS "of paired"
                                              ) AS "of known"
                                            ) AS "of paired"
                                          ) AS "of known"
                                        ) AS "of paired"
                                      ) AS "of known"
                                    ) AS "of paired"
                                  ) AS "of known"
                                ) AS "of paired"
                              ) AS "of known"
                            ) AS "of paired"
                          ) AS "of known"
                        ) AS "of paired"
                      ) AS "of known"
                    ) AS "of paired"
                  ) AS "of known"
                ) AS "of paired"
              ) AS "of known"
            ) AS "of paired"
          ) AS "of known"
        ) AS "of paired"
      ) AS "of known"
    ) AS "of paired"
  ) AS "of labels"
), "members" AS (
  SELECT
    "of reached"."node" AS "record_no",
    MIN("of reached"."label") AS "cluster_no"
  FROM "reached" AS "of reached"
  GROUP BY
    "of reached"."node"
)
SELECT
  "of records"."record_no" AS "record_no",
  "of records"."record_key" AS "record_key",
  COALESCE("of members"."cluster_no", "of records"."record_no") AS "cluster_no"
FROM "matching"."records" AS "of records"
LEFT JOIN "members" AS "of members"
  ON "of records"."record_no" = "of members"."record_no";

-- recipient_ids
WITH "current_records" AS (
  SELECT
    "of clusters"."record_key" AS "record_key",
    "of clusters"."cluster_no" AS "cluster_no",
    "of records"."created_at" AS "created_at",
    "of records"."first_seen_at" AS "first_seen_at",
    "of records"."seen_at" AS "seen_at"
  FROM "matching"."clusters" AS "of clusters"
  INNER JOIN "matching"."records" AS "of records"
    ON "of clusters"."record_no" = "of records"."record_no"
), "remembered" AS (
  SELECT
    CAST(NULL AS Nullable(String)) AS "record_key",
    CAST(NULL AS Nullable(String)) AS "recipient_id",
    CAST(NULL AS Nullable(String)) AS "anchor_key",
    CAST(NULL AS Nullable(DateTime64(6, 'UTC'))) AS "known_since"
  WHERE
    FALSE
), "votes" AS (
  SELECT
    "of current_records"."cluster_no" AS "cluster_no",
    "of remembered"."recipient_id" AS "recipient_id",
    "of remembered"."anchor_key" AS "anchor_key",
    "of remembered"."known_since" AS "known_since",
    "of remembered"."record_key" AS "record_key",
    "of current_records"."created_at" AS "created_at"
  FROM "remembered" AS "of remembered"
  INNER JOIN "current_records" AS "of current_records"
    ON "of remembered"."record_key" = "of current_records"."record_key"
  UNION ALL
  SELECT
    "of current_records"."cluster_no" AS "cluster_no",
    "of remembered"."recipient_id" AS "recipient_id",
    "of remembered"."anchor_key" AS "anchor_key",
    "of remembered"."known_since" AS "known_since",
    "of remembered"."record_key" AS "record_key",
    "of current_records"."created_at" AS "created_at"
  FROM "remembered" AS "of remembered"
  INNER JOIN "staging"."stg_departed" AS "of departed"
    ON "of remembered"."record_key" = "of departed"."record_key"
  INNER JOIN "current_records" AS "of current_records"
    ON "of departed"."survivor_key" = "of current_records"."record_key"
), "claims" AS (
  SELECT
    "of votes"."cluster_no" AS "cluster_no",
    "of votes"."recipient_id" AS "recipient_id",
    MIN("of votes"."known_since") AS "known_since",
    MIN("of votes"."anchor_key") AS "anchor_key",
    CAST(max("of votes"."record_key" = "of votes"."anchor_key") AS Nullable(Bool)) AS "has_anchor",
    COUNT(*) AS "records",
    MIN("of votes"."created_at") AS "created_at"
  FROM "votes" AS "of votes"
  GROUP BY
    "of votes"."cluster_no",
    "of votes"."recipient_id"
), "owned" AS (
  SELECT
    "of claims"."cluster_no" AS "cluster_no",
    "of claims"."recipient_id" AS "recipient_id",
    "of claims"."known_since" AS "known_since",
    "of claims"."anchor_key" AS "anchor_key",
    "of claims"."has_anchor" AS "has_anchor",
    "of claims"."records" AS "records",
    "of claims"."created_at" AS "created_at",
    ROW_NUMBER() OVER (
      PARTITION BY "of claims"."recipient_id"
      ORDER BY "of claims"."has_anchor" DESC, "of claims"."records" DESC, "of claims"."created_at" ASC, "of claims"."cluster_no" ASC
    ) AS "place"
  FROM "claims" AS "of claims"
), "chosen" AS (
  SELECT
    "of owned"."cluster_no" AS "cluster_no",
    "of owned"."recipient_id" AS "recipient_id",
    "of owned"."anchor_key" AS "anchor_key",
    "of owned"."known_since" AS "known_since",
    ROW_NUMBER() OVER (
      PARTITION BY "of owned"."cluster_no"
      ORDER BY "of owned"."known_since" ASC, "of owned"."created_at" ASC, "of owned"."recipient_id" ASC
    ) AS "place"
  FROM "owned" AS "of owned"
  WHERE
    "of owned"."place" = 1
), "founders" AS (
  SELECT
    "of current_records"."cluster_no" AS "cluster_no",
    "of current_records"."record_key" AS "record_key",
    CASE
      WHEN max(NOT (
        "of remembered"."record_key" IS NULL
      )) OVER (PARTITION BY "of current_records"."cluster_no")
      THEN MAX("of current_records"."seen_at") OVER (PARTITION BY "of current_records"."cluster_no")
      ELSE MIN("of current_records"."first_seen_at") OVER (PARTITION BY "of current_records"."cluster_no")
    END AS "known_since",
    ROW_NUMBER() OVER (
      PARTITION BY "of current_records"."cluster_no"
      ORDER BY "of current_records"."created_at" ASC, "of current_records"."record_key" ASC
    ) AS "place"
  FROM "current_records" AS "of current_records"
  LEFT JOIN "remembered" AS "of remembered"
    ON "of current_records"."record_key" = "of remembered"."record_key"
), "assigned" AS (
  SELECT
    "of founders"."cluster_no" AS "cluster_no",
    COALESCE(
      "of chosen"."recipient_id",
      CASE
        WHEN "of taken"."recipient_id" IS NULL
        THEN 'r' || substringUTF8(lower(hex(MD5("of founders"."record_key"))), 1, 20)
        ELSE 'r' || substringUTF8(
          lower(
            hex(
              MD5(
                "of founders"."record_key" || ' again since ' || formatDateTime("of founders"."known_since", '%Y-%m-%d %H:%i:%S')
              )
            )
          ),
          1,
          20
        )
      END
    ) AS "recipient_id",
    COALESCE("of chosen"."anchor_key", "of founders"."record_key") AS "anchor_key",
    COALESCE("of chosen"."known_since", "of founders"."known_since") AS "known_since"
  FROM "founders" AS "of founders"
  LEFT JOIN "chosen" AS "of chosen"
    ON "of founders"."cluster_no" = "of chosen"."cluster_no" AND "of chosen"."place" = 1
  LEFT JOIN (
    SELECT DISTINCT
      "of remembered"."recipient_id" AS "recipient_id"
    FROM "remembered" AS "of remembered"
  ) AS "of taken"
    ON 'r' || substringUTF8(lower(hex(MD5("of founders"."record_key"))), 1, 20) = "of taken"."recipient_id"
  WHERE
    "of founders"."place" = 1
), "given_up" AS (
  SELECT
    "of chosen"."recipient_id" AS "former_id",
    "of assigned"."recipient_id" AS "recipient_id",
    "of assigned"."anchor_key" AS "anchor_key",
    "of assigned"."known_since" AS "known_since"
  FROM "chosen" AS "of chosen"
  INNER JOIN "assigned" AS "of assigned"
    ON "of chosen"."cluster_no" = "of assigned"."cluster_no"
  WHERE
    "of chosen"."place" > 1
)
SELECT
  "of current_records"."record_key" AS "record_key",
  "of assigned"."recipient_id" AS "recipient_id",
  "of assigned"."anchor_key" AS "anchor_key",
  "of assigned"."known_since" AS "known_since"
FROM "current_records" AS "of current_records"
INNER JOIN "assigned" AS "of assigned"
  ON "of current_records"."cluster_no" = "of assigned"."cluster_no"
UNION ALL
SELECT
  "of remembered"."record_key" AS "record_key",
  COALESCE("of given_up"."recipient_id", "of remembered"."recipient_id") AS "recipient_id",
  COALESCE("of given_up"."anchor_key", "of remembered"."anchor_key") AS "anchor_key",
  COALESCE("of given_up"."known_since", "of remembered"."known_since") AS "known_since"
FROM "remembered" AS "of remembered"
LEFT JOIN "current_records" AS "of current_records"
  ON "of remembered"."record_key" = "of current_records"."record_key"
LEFT JOIN "given_up" AS "of given_up"
  ON "of remembered"."recipient_id" = "of given_up"."former_id"
WHERE
  "of current_records"."record_key" IS NULL;

-- recipient_ids (incremental)
WITH "current_records" AS (
  SELECT
    "of clusters"."record_key" AS "record_key",
    "of clusters"."cluster_no" AS "cluster_no",
    "of records"."created_at" AS "created_at",
    "of records"."first_seen_at" AS "first_seen_at",
    "of records"."seen_at" AS "seen_at"
  FROM "matching"."clusters" AS "of clusters"
  INNER JOIN "matching"."records" AS "of records"
    ON "of clusters"."record_no" = "of records"."record_no"
), "remembered" AS (
  SELECT
    "of recipient_ids"."record_key" AS "record_key",
    "of recipient_ids"."recipient_id" AS "recipient_id",
    "of recipient_ids"."anchor_key" AS "anchor_key",
    "of recipient_ids"."known_since" AS "known_since"
  FROM "campaign"."recipient_ids" AS "of recipient_ids"
), "votes" AS (
  SELECT
    "of current_records"."cluster_no" AS "cluster_no",
    "of remembered"."recipient_id" AS "recipient_id",
    "of remembered"."anchor_key" AS "anchor_key",
    "of remembered"."known_since" AS "known_since",
    "of remembered"."record_key" AS "record_key",
    "of current_records"."created_at" AS "created_at"
  FROM "remembered" AS "of remembered"
  INNER JOIN "current_records" AS "of current_records"
    ON "of remembered"."record_key" = "of current_records"."record_key"
  UNION ALL
  SELECT
    "of current_records"."cluster_no" AS "cluster_no",
    "of remembered"."recipient_id" AS "recipient_id",
    "of remembered"."anchor_key" AS "anchor_key",
    "of remembered"."known_since" AS "known_since",
    "of remembered"."record_key" AS "record_key",
    "of current_records"."created_at" AS "created_at"
  FROM "remembered" AS "of remembered"
  INNER JOIN "staging"."stg_departed" AS "of departed"
    ON "of remembered"."record_key" = "of departed"."record_key"
  INNER JOIN "current_records" AS "of current_records"
    ON "of departed"."survivor_key" = "of current_records"."record_key"
), "claims" AS (
  SELECT
    "of votes"."cluster_no" AS "cluster_no",
    "of votes"."recipient_id" AS "recipient_id",
    MIN("of votes"."known_since") AS "known_since",
    MIN("of votes"."anchor_key") AS "anchor_key",
    CAST(max("of votes"."record_key" = "of votes"."anchor_key") AS Nullable(Bool)) AS "has_anchor",
    COUNT(*) AS "records",
    MIN("of votes"."created_at") AS "created_at"
  FROM "votes" AS "of votes"
  GROUP BY
    "of votes"."cluster_no",
    "of votes"."recipient_id"
), "owned" AS (
  SELECT
    "of claims"."cluster_no" AS "cluster_no",
    "of claims"."recipient_id" AS "recipient_id",
    "of claims"."known_since" AS "known_since",
    "of claims"."anchor_key" AS "anchor_key",
    "of claims"."has_anchor" AS "has_anchor",
    "of claims"."records" AS "records",
    "of claims"."created_at" AS "created_at",
    ROW_NUMBER() OVER (
      PARTITION BY "of claims"."recipient_id"
      ORDER BY "of claims"."has_anchor" DESC, "of claims"."records" DESC, "of claims"."created_at" ASC, "of claims"."cluster_no" ASC
    ) AS "place"
  FROM "claims" AS "of claims"
), "chosen" AS (
  SELECT
    "of owned"."cluster_no" AS "cluster_no",
    "of owned"."recipient_id" AS "recipient_id",
    "of owned"."anchor_key" AS "anchor_key",
    "of owned"."known_since" AS "known_since",
    ROW_NUMBER() OVER (
      PARTITION BY "of owned"."cluster_no"
      ORDER BY "of owned"."known_since" ASC, "of owned"."created_at" ASC, "of owned"."recipient_id" ASC
    ) AS "place"
  FROM "owned" AS "of owned"
  WHERE
    "of owned"."place" = 1
), "founders" AS (
  SELECT
    "of current_records"."cluster_no" AS "cluster_no",
    "of current_records"."record_key" AS "record_key",
    CASE
      WHEN max(NOT (
        "of remembered"."record_key" IS NULL
      )) OVER (PARTITION BY "of current_records"."cluster_no")
      THEN MAX("of current_records"."seen_at") OVER (PARTITION BY "of current_records"."cluster_no")
      ELSE MIN("of current_records"."first_seen_at") OVER (PARTITION BY "of current_records"."cluster_no")
    END AS "known_since",
    ROW_NUMBER() OVER (
      PARTITION BY "of current_records"."cluster_no"
      ORDER BY "of current_records"."created_at" ASC, "of current_records"."record_key" ASC
    ) AS "place"
  FROM "current_records" AS "of current_records"
  LEFT JOIN "remembered" AS "of remembered"
    ON "of current_records"."record_key" = "of remembered"."record_key"
), "assigned" AS (
  SELECT
    "of founders"."cluster_no" AS "cluster_no",
    COALESCE(
      "of chosen"."recipient_id",
      CASE
        WHEN "of taken"."recipient_id" IS NULL
        THEN 'r' || substringUTF8(lower(hex(MD5("of founders"."record_key"))), 1, 20)
        ELSE 'r' || substringUTF8(
          lower(
            hex(
              MD5(
                "of founders"."record_key" || ' again since ' || formatDateTime("of founders"."known_since", '%Y-%m-%d %H:%i:%S')
              )
            )
          ),
          1,
          20
        )
      END
    ) AS "recipient_id",
    COALESCE("of chosen"."anchor_key", "of founders"."record_key") AS "anchor_key",
    COALESCE("of chosen"."known_since", "of founders"."known_since") AS "known_since"
  FROM "founders" AS "of founders"
  LEFT JOIN "chosen" AS "of chosen"
    ON "of founders"."cluster_no" = "of chosen"."cluster_no" AND "of chosen"."place" = 1
  LEFT JOIN (
    SELECT DISTINCT
      "of remembered"."recipient_id" AS "recipient_id"
    FROM "remembered" AS "of remembered"
  ) AS "of taken"
    ON 'r' || substringUTF8(lower(hex(MD5("of founders"."record_key"))), 1, 20) = "of taken"."recipient_id"
  WHERE
    "of founders"."place" = 1
), "given_up" AS (
  SELECT
    "of chosen"."recipient_id" AS "former_id",
    "of assigned"."recipient_id" AS "recipient_id",
    "of assigned"."anchor_key" AS "anchor_key",
    "of assigned"."known_since" AS "known_since"
  FROM "chosen" AS "of chosen"
  INNER JOIN "assigned" AS "of assigned"
    ON "of chosen"."cluster_no" = "of assigned"."cluster_no"
  WHERE
    "of chosen"."place" > 1
)
SELECT
  "of current_records"."record_key" AS "record_key",
  "of assigned"."recipient_id" AS "recipient_id",
  "of assigned"."anchor_key" AS "anchor_key",
  "of assigned"."known_since" AS "known_since"
FROM "current_records" AS "of current_records"
INNER JOIN "assigned" AS "of assigned"
  ON "of current_records"."cluster_no" = "of assigned"."cluster_no"
UNION ALL
SELECT
  "of remembered"."record_key" AS "record_key",
  COALESCE("of given_up"."recipient_id", "of remembered"."recipient_id") AS "recipient_id",
  COALESCE("of given_up"."anchor_key", "of remembered"."anchor_key") AS "anchor_key",
  COALESCE("of given_up"."known_since", "of remembered"."known_since") AS "known_since"
FROM "remembered" AS "of remembered"
LEFT JOIN "current_records" AS "of current_records"
  ON "of remembered"."record_key" = "of current_records"."record_key"
LEFT JOIN "given_up" AS "of given_up"
  ON "of remembered"."recipient_id" = "of given_up"."former_id"
WHERE
  "of current_records"."record_key" IS NULL;

-- recipient_links
SELECT
  "of records"."record_key" AS "record_key",
  "of recipient_ids"."recipient_id" AS "recipient_id",
  "of records"."account" AS "account",
  "of records"."object" AS "object",
  "of records"."record_id" AS "record_id",
  "of records"."email_key" AS "email_key",
  "of records"."opted_out" AS "opted_out",
  "of records"."is_read_only" AS "is_read_only"
FROM "matching"."records" AS "of records"
INNER JOIN "campaign"."recipient_ids" AS "of recipient_ids"
  ON "of records"."record_key" = "of recipient_ids"."record_key";

-- engagement
WITH "reached" AS (
  SELECT DISTINCT
    "of recipient_links"."email_key" AS "email_key",
    "of recipient_links"."recipient_id" AS "recipient_id"
  FROM "campaign"."recipient_links" AS "of recipient_links"
  WHERE
    NOT (
      "of recipient_links"."email_key" IS NULL
    )
)
SELECT
  "of events"."event_id" || ' ' || "of reached"."recipient_id" AS "engagement_key",
  "of events"."event_id" AS "event_id",
  "of reached"."recipient_id" AS "recipient_id",
  "of events"."email_key" AS "email_key",
  "of events"."campaign" AS "campaign",
  "of events"."event_type" AS "event_type",
  "of events"."occurred_at" AS "occurred_at"
FROM "staging"."stg_engagement" AS "of events"
INNER JOIN "reached" AS "of reached"
  ON "of events"."email_key" = "of reached"."email_key";

-- opt_outs
WITH "reasons" AS (
  SELECT
    "of links"."recipient_id" AS "recipient_id",
    'crm_record' AS "reason",
    "of links"."record_key" AS "found_at",
    CAST(NULL AS Nullable(DateTime64(6, 'UTC'))) AS "opted_out_at"
  FROM "campaign"."recipient_links" AS "of links"
  WHERE
    "of links"."opted_out"
  UNION ALL
  SELECT
    "of recipient_ids"."recipient_id" AS "recipient_id",
    'departed_record' AS "reason",
    "of departed"."record_key" AS "found_at",
    "of departed"."departed_at" AS "opted_out_at"
  FROM "staging"."stg_departed" AS "of departed"
  INNER JOIN "campaign"."recipient_ids" AS "of recipient_ids"
    ON "of departed"."record_key" = "of recipient_ids"."record_key"
  WHERE
    "of departed"."opted_out"
  UNION ALL
  SELECT
    "of links"."recipient_id" AS "recipient_id",
    'departed_record' AS "reason",
    "of departed"."record_key" AS "found_at",
    "of departed"."departed_at" AS "opted_out_at"
  FROM "staging"."stg_departed" AS "of departed"
  INNER JOIN "campaign"."recipient_links" AS "of links"
    ON "of departed"."survivor_key" = "of links"."record_key"
  WHERE
    "of departed"."opted_out"
  UNION ALL
  SELECT
    "of links"."recipient_id" AS "recipient_id",
    'departed_record' AS "reason",
    "of departed"."record_key" AS "found_at",
    "of departed"."departed_at" AS "opted_out_at"
  FROM "staging"."stg_departed" AS "of departed"
  INNER JOIN "campaign"."recipient_links" AS "of links"
    ON "of departed"."email_key" = "of links"."email_key"
  WHERE
    "of departed"."opted_out"
  UNION ALL
  SELECT
    "of links"."recipient_id" AS "recipient_id",
    'campaign_opt_out' AS "reason",
    "of addresses"."email_key" AS "found_at",
    "of addresses"."opted_out_at" AS "opted_out_at"
  FROM "campaign"."addresses" AS "of addresses"
  INNER JOIN "campaign"."recipient_links" AS "of links"
    ON "of addresses"."email_key" = "of links"."email_key"
  WHERE
    "of addresses"."opted_out"
  UNION ALL
  SELECT
    "of links"."recipient_id" AS "recipient_id",
    'bounced' AS "reason",
    MIN("of links"."email_key") AS "found_at",
    MAX("of addresses"."last_bounce_at") AS "opted_out_at"
  FROM "campaign"."recipient_links" AS "of links"
  LEFT JOIN "campaign"."addresses" AS "of addresses"
    ON "of links"."email_key" = "of addresses"."email_key"
  WHERE
    NOT (
      "of links"."email_key" IS NULL
    )
  GROUP BY
    "of links"."recipient_id"
  HAVING
    min(COALESCE("of addresses"."is_dead", FALSE))
)
SELECT
  "of reasons"."recipient_id" || ' ' || "of reasons"."reason" || ' ' || "of reasons"."found_at" AS "opt_out_key",
  "of reasons"."recipient_id" AS "recipient_id",
  "of reasons"."reason" AS "reason",
  "of reasons"."found_at" AS "found_at",
  MIN("of reasons"."opted_out_at") AS "opted_out_at"
FROM "reasons" AS "of reasons"
WHERE
  "of reasons"."recipient_id" IN (
    SELECT
      "of recipient_links"."recipient_id" AS "recipient_id"
    FROM "campaign"."recipient_links" AS "of recipient_links"
  )
GROUP BY
  "of reasons"."recipient_id",
  "of reasons"."reason",
  "of reasons"."found_at";

-- engagement_scores
WITH "clock" AS (
  SELECT
    MAX("of stg_engagement"."occurred_at") AS "as_of"
  FROM "staging"."stg_engagement" AS "of stg_engagement"
), "weighed" AS (
  SELECT
    "of engagement"."recipient_id" AS "recipient_id",
    "of engagement"."event_type" AS "event_type",
    "of engagement"."occurred_at" AS "occurred_at",
    "of clock"."as_of" AS "as_of",
    CAST(CASE "of engagement"."event_type"
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
        CAST(toUnixTimestamp64Micro("of clock"."as_of") AS Nullable(Float64)) / 1000000 - CAST(toUnixTimestamp64Micro("of engagement"."occurred_at") AS Nullable(Float64)) / 1000000
      ) / nullIf(86400.0, 0) / nullIf(90, 0)
    ) AS Nullable(Decimal(18, 6))) AS "worth"
  FROM "campaign"."engagement" AS "of engagement"
  CROSS JOIN "clock" AS "of clock"
)
SELECT
  "of weighed"."recipient_id" AS "recipient_id",
  CAST(CASE
    WHEN max(NOT (
      "of opt_outs"."recipient_id" IS NULL
    ))
    THEN 0
    ELSE GREATEST(0, LEAST(100, ROUND(SUM("of weighed"."worth"), 1)))
  END AS Nullable(Decimal(5, 1))) AS "score",
  MAX(CASE WHEN "of weighed"."event_type" = 'open' THEN "of weighed"."occurred_at" END) AS "last_open_at",
  SUM(CASE WHEN "of weighed"."event_type" = 'send' THEN 1 ELSE 0 END) AS "sends",
  SUM(CASE WHEN "of weighed"."event_type" = 'open' THEN 1 ELSE 0 END) AS "opens",
  SUM(CASE WHEN "of weighed"."event_type" = 'click' THEN 1 ELSE 0 END) AS "clicks",
  SUM(CASE WHEN "of weighed"."event_type" = 'bounce' THEN 1 ELSE 0 END) AS "bounces",
  SUM(CASE WHEN "of weighed"."event_type" = 'opt_out' THEN 1 ELSE 0 END) AS "opt_outs",
  MAX("of weighed"."occurred_at") AS "last_event_at",
  MAX("of weighed"."as_of") AS "as_of",
  CAST(max(NOT (
    "of opt_outs"."recipient_id" IS NULL
  )) AS Nullable(Bool)) AS "opted_out"
FROM "weighed" AS "of weighed"
LEFT JOIN (
  SELECT DISTINCT
    "of opt_outs"."recipient_id" AS "recipient_id"
  FROM "campaign"."opt_outs" AS "of opt_outs"
) AS "of opt_outs"
  ON "of weighed"."recipient_id" = "of opt_outs"."recipient_id"
GROUP BY
  "of weighed"."recipient_id";

-- recipients
WITH "members" AS (
  SELECT
    "of recipient_ids"."recipient_id" AS "recipient_id",
    "of recipient_ids"."known_since" AS "known_since",
    "of records"."record_key" AS "record_key",
    "of records"."account" AS "account",
    "of records"."salutation" AS "salutation",
    "of records"."first_name" AS "first_name",
    "of records"."last_name" AS "last_name",
    "of records"."email" AS "email",
    "of records"."email_key" AS "email_key",
    "of records"."phone" AS "phone",
    "of records"."phone_key" AS "phone_key",
    "of records"."mobile_phone" AS "mobile_phone",
    "of records"."mobile_key" AS "mobile_key",
    "of records"."street" AS "street",
    "of records"."city" AS "city",
    "of records"."state" AS "state",
    "of records"."postal_code" AS "postal_code",
    "of records"."country" AS "country",
    "of records"."company" AS "company",
    "of records"."job_title" AS "job_title",
    "of records"."birth_date" AS "birth_date",
    "of records"."do_not_call" AS "do_not_call",
    "of records"."member_number" AS "member_number",
    "of records"."object" AS "object",
    "of records"."created_at" AS "created_at",
    "of records"."content_changed_at" AS "content_changed_at",
    COALESCE("of records"."email_changed_at", "of records"."content_changed_at") AS "email_changed_at",
    "of records"."given_key" AS "given_key",
    "of records"."surname_key" AS "surname_key",
    CAST(COALESCE("of addresses"."is_dead", FALSE) AS Nullable(Bool)) AS "is_dead"
  FROM "matching"."records" AS "of records"
  INNER JOIN "campaign"."recipient_ids" AS "of recipient_ids"
    ON "of records"."record_key" = "of recipient_ids"."record_key"
  LEFT JOIN "campaign"."addresses" AS "of addresses"
    ON "of records"."email_key" = "of addresses"."email_key"
), "agreed" AS (
  SELECT
    "of members"."recipient_id" AS "recipient_id",
    "of members"."known_since" AS "known_since",
    "of members"."record_key" AS "record_key",
    "of members"."account" AS "account",
    "of members"."salutation" AS "salutation",
    "of members"."first_name" AS "first_name",
    "of members"."last_name" AS "last_name",
    "of members"."email" AS "email",
    "of members"."email_key" AS "email_key",
    "of members"."phone" AS "phone",
    "of members"."phone_key" AS "phone_key",
    "of members"."mobile_phone" AS "mobile_phone",
    "of members"."mobile_key" AS "mobile_key",
    "of members"."street" AS "street",
    "of members"."city" AS "city",
    "of members"."state" AS "state",
    "of members"."postal_code" AS "postal_code",
    "of members"."country" AS "country",
    "of members"."company" AS "company",
    "of members"."job_title" AS "job_title",
    "of members"."birth_date" AS "birth_date",
    "of members"."do_not_call" AS "do_not_call",
    "of members"."member_number" AS "member_number",
    "of members"."object" AS "object",
    "of members"."created_at" AS "created_at",
    "of members"."content_changed_at" AS "content_changed_at",
    "of members"."email_changed_at" AS "email_changed_at",
    "of members"."given_key" AS "given_key",
    "of members"."surname_key" AS "surname_key",
    "of members"."is_dead" AS "is_dead",
    COUNT(*) OVER (
      PARTITION BY "of members"."recipient_id", "of members"."given_key", "of members"."surname_key"
    ) AS "same_name",
    COUNT("of members"."birth_date") OVER (PARTITION BY "of members"."recipient_id", "of members"."birth_date") AS "same_birth_date",
    CASE WHEN NOT (
      "of members"."street" IS NULL
    ) THEN 2 ELSE 0 END + CASE WHEN NOT (
      "of members"."postal_code" IS NULL
    ) THEN 1 ELSE 0 END + CASE WHEN NOT (
      "of members"."city" IS NULL
    ) THEN 1 ELSE 0 END + CASE WHEN NOT (
      "of members"."country" IS NULL
    ) THEN 1 ELSE 0 END AS "address_parts"
  FROM "members" AS "of members"
), "ranked" AS (
  SELECT
    "of agreed"."recipient_id" AS "recipient_id",
    "of agreed"."known_since" AS "known_since",
    "of agreed"."record_key" AS "record_key",
    "of agreed"."account" AS "account",
    "of agreed"."salutation" AS "salutation",
    "of agreed"."first_name" AS "first_name",
    "of agreed"."last_name" AS "last_name",
    "of agreed"."email" AS "email",
    "of agreed"."email_key" AS "email_key",
    "of agreed"."phone" AS "phone",
    "of agreed"."phone_key" AS "phone_key",
    "of agreed"."mobile_phone" AS "mobile_phone",
    "of agreed"."mobile_key" AS "mobile_key",
    "of agreed"."street" AS "street",
    "of agreed"."city" AS "city",
    "of agreed"."state" AS "state",
    "of agreed"."postal_code" AS "postal_code",
    "of agreed"."country" AS "country",
    "of agreed"."company" AS "company",
    "of agreed"."job_title" AS "job_title",
    "of agreed"."birth_date" AS "birth_date",
    "of agreed"."do_not_call" AS "do_not_call",
    "of agreed"."member_number" AS "member_number",
    "of agreed"."object" AS "object",
    "of agreed"."created_at" AS "created_at",
    "of agreed"."content_changed_at" AS "content_changed_at",
    "of agreed"."email_changed_at" AS "email_changed_at",
    "of agreed"."given_key" AS "given_key",
    "of agreed"."surname_key" AS "surname_key",
    "of agreed"."is_dead" AS "is_dead",
    "of agreed"."same_name" AS "same_name",
    "of agreed"."same_birth_date" AS "same_birth_date",
    "of agreed"."address_parts" AS "address_parts",
    ROW_NUMBER() OVER (
      PARTITION BY "of agreed"."recipient_id"
      ORDER BY CASE
        WHEN NOT (
          "of agreed"."email_key" IS NULL
        ) AND NOT "of agreed"."is_dead"
        THEN 0
        WHEN NOT (
          "of agreed"."email_key" IS NULL
        )
        THEN 1
        WHEN NOT (
          "of agreed"."email" IS NULL
        )
        THEN 2
        ELSE 3
      END, "of agreed"."email_changed_at" DESC, "of agreed"."record_key"
    ) AS "email_place",
    ROW_NUMBER() OVER (
      PARTITION BY "of agreed"."recipient_id"
      ORDER BY CASE
        WHEN NOT (
          "of agreed"."given_key" IS NULL
        )
        AND NOT (
          "of agreed"."surname_key" IS NULL
        )
        THEN 0
        ELSE 1
      END, CASE WHEN lengthUTF8("of agreed"."given_key") = 1 THEN 1 ELSE 0 END, CASE
        WHEN "of agreed"."first_name" || "of agreed"."last_name" IN (
          upperUTF8("of agreed"."first_name" || "of agreed"."last_name"),
          lowerUTF8("of agreed"."first_name" || "of agreed"."last_name")
        )
        THEN 1
        ELSE 0
      END, "of agreed"."same_name" DESC, CASE
        WHEN normalizeUTF8NFC(
          replaceRegexpAll(normalizeUTF8NFD("of agreed"."first_name" || "of agreed"."last_name"), '\\p{M}+', '')
        ) <> "of agreed"."first_name" || "of agreed"."last_name"
        THEN 0
        ELSE 1
      END, lengthUTF8(COALESCE("of agreed"."first_name", '') || COALESCE("of agreed"."last_name", '')) DESC, "of agreed"."content_changed_at" DESC, "of agreed"."record_key"
    ) AS "name_place",
    ROW_NUMBER() OVER (
      PARTITION BY "of agreed"."recipient_id"
      ORDER BY CASE WHEN "of agreed"."salutation" IS NULL THEN 1 ELSE 0 END, "of agreed"."content_changed_at" DESC, "of agreed"."record_key"
    ) AS "salutation_place",
    ROW_NUMBER() OVER (
      PARTITION BY "of agreed"."recipient_id"
      ORDER BY CASE
        WHEN NOT (
          "of agreed"."phone_key" IS NULL
        )
        THEN 0
        WHEN NOT (
          "of agreed"."phone" IS NULL
        )
        THEN 1
        ELSE 2
      END, "of agreed"."content_changed_at" DESC, "of agreed"."record_key"
    ) AS "phone_place",
    ROW_NUMBER() OVER (
      PARTITION BY "of agreed"."recipient_id"
      ORDER BY CASE
        WHEN NOT (
          "of agreed"."mobile_key" IS NULL
        )
        THEN 0
        WHEN NOT (
          "of agreed"."mobile_phone" IS NULL
        )
        THEN 1
        ELSE 2
      END, "of agreed"."content_changed_at" DESC, "of agreed"."record_key"
    ) AS "mobile_place",
    ROW_NUMBER() OVER (
      PARTITION BY "of agreed"."recipient_id"
      ORDER BY "of agreed"."address_parts" DESC, "of agreed"."content_changed_at" DESC, "of agreed"."record_key"
    ) AS "address_place",
    ROW_NUMBER() OVER (
      PARTITION BY "of agreed"."recipient_id"
      ORDER BY CASE WHEN "of agreed"."company" IS NULL THEN 1 ELSE 0 END, "of agreed"."content_changed_at" DESC, "of agreed"."record_key"
    ) AS "company_place",
    ROW_NUMBER() OVER (
      PARTITION BY "of agreed"."recipient_id"
      ORDER BY CASE WHEN "of agreed"."job_title" IS NULL THEN 1 ELSE 0 END, "of agreed"."content_changed_at" DESC, "of agreed"."record_key"
    ) AS "job_place",
    ROW_NUMBER() OVER (
      PARTITION BY "of agreed"."recipient_id"
      ORDER BY CASE WHEN "of agreed"."birth_date" IS NULL THEN 1 ELSE 0 END, "of agreed"."same_birth_date" DESC, "of agreed"."content_changed_at" DESC, "of agreed"."record_key"
    ) AS "birth_place",
    ROW_NUMBER() OVER (
      PARTITION BY "of agreed"."recipient_id"
      ORDER BY CASE WHEN "of agreed"."member_number" IS NULL THEN 1 ELSE 0 END, "of agreed"."created_at" ASC, "of agreed"."record_key"
    ) AS "member_place"
  FROM "agreed" AS "of agreed"
), "merged" AS (
  SELECT
    "of ranked"."recipient_id" AS "recipient_id",
    MAX(CASE WHEN "of ranked"."salutation_place" = 1 THEN "of ranked"."salutation" END) AS "salutation",
    MAX(CASE WHEN "of ranked"."name_place" = 1 THEN "of ranked"."first_name" END) AS "first_name",
    MAX(CASE WHEN "of ranked"."name_place" = 1 THEN "of ranked"."last_name" END) AS "last_name",
    MAX(CASE WHEN "of ranked"."email_place" = 1 THEN "of ranked"."email" END) AS "email",
    CAST(COALESCE(
      max(
        "of ranked"."email_place" = 1
        AND NOT (
          "of ranked"."email_key" IS NULL
        )
        AND NOT "of ranked"."is_dead"
      ),
      FALSE
    ) AS Nullable(Bool)) AS "email_is_valid",
    MAX(CASE WHEN "of ranked"."phone_place" = 1 THEN "of ranked"."phone" END) AS "phone",
    MAX(CASE WHEN "of ranked"."mobile_place" = 1 THEN "of ranked"."mobile_phone" END) AS "mobile_phone",
    MAX(CASE WHEN "of ranked"."address_place" = 1 THEN "of ranked"."street" END) AS "street",
    MAX(CASE WHEN "of ranked"."address_place" = 1 THEN "of ranked"."city" END) AS "city",
    MAX(CASE WHEN "of ranked"."address_place" = 1 THEN "of ranked"."state" END) AS "state",
    MAX(CASE WHEN "of ranked"."address_place" = 1 THEN "of ranked"."postal_code" END) AS "postal_code",
    MAX(CASE WHEN "of ranked"."address_place" = 1 THEN "of ranked"."country" END) AS "country",
    MAX(CASE WHEN "of ranked"."company_place" = 1 THEN "of ranked"."company" END) AS "company",
    MAX(CASE WHEN "of ranked"."job_place" = 1 THEN "of ranked"."job_title" END) AS "job_title",
    MAX(CASE WHEN "of ranked"."birth_place" = 1 THEN "of ranked"."birth_date" END) AS "birth_date",
    CAST(max("of ranked"."do_not_call") AS Nullable(Bool)) AS "do_not_call",
    MAX(CASE WHEN "of ranked"."member_place" = 1 THEN "of ranked"."member_number" END) AS "member_number",
    MAX(CASE WHEN "of ranked"."name_place" = 1 THEN "of ranked"."record_key" END) AS "main_record_key",
    COUNT(*) AS "records",
    COUNT(DISTINCT "of ranked"."account") AS "accounts",
    CAST(max("of ranked"."object" IN ('Contact', 'contact')) AS Nullable(Bool)) AS "is_contact",
    MIN("of ranked"."created_at") AS "created_at",
    MAX("of ranked"."content_changed_at") AS "changed_at",
    MIN("of ranked"."known_since") AS "known_since"
  FROM "ranked" AS "of ranked"
  GROUP BY
    "of ranked"."recipient_id"
)
SELECT
  "of merged"."recipient_id" AS "recipient_id",
  "of merged"."salutation" AS "salutation",
  "of merged"."first_name" AS "first_name",
  "of merged"."last_name" AS "last_name",
  "of merged"."email" AS "email",
  "of merged"."email_is_valid" AS "email_is_valid",
  "of merged"."phone" AS "phone",
  "of merged"."mobile_phone" AS "mobile_phone",
  "of merged"."street" AS "street",
  "of merged"."city" AS "city",
  "of merged"."state" AS "state",
  "of merged"."postal_code" AS "postal_code",
  "of merged"."country" AS "country",
  "of merged"."company" AS "company",
  "of merged"."job_title" AS "job_title",
  "of merged"."birth_date" AS "birth_date",
  CAST(NOT (
    "of opt_outs"."recipient_id" IS NULL
  ) AS Nullable(Bool)) AS "opted_out",
  "of merged"."do_not_call" AS "do_not_call",
  "of merged"."member_number" AS "member_number",
  "of merged"."main_record_key" AS "main_record_key",
  "of merged"."records" AS "records",
  "of merged"."accounts" AS "accounts",
  "of merged"."is_contact" AS "is_contact",
  "of merged"."created_at" AS "created_at",
  "of merged"."changed_at" AS "changed_at",
  "of merged"."known_since" AS "known_since"
FROM "merged" AS "of merged"
LEFT JOIN (
  SELECT DISTINCT
    "of opt_outs"."recipient_id" AS "recipient_id"
  FROM "campaign"."opt_outs" AS "of opt_outs"
) AS "of opt_outs"
  ON "of merged"."recipient_id" = "of opt_outs"."recipient_id";

-- duplicates
WITH RECURSIVE "main_records" AS (
  SELECT
    "of records"."record_no" AS "record_no",
    "of recipients"."recipient_id" AS "recipient_id"
  FROM "campaign"."recipients" AS "of recipients"
  INNER JOIN "matching"."records" AS "of records"
    ON "of recipients"."main_record_key" = "of records"."record_key"
  WHERE
    "of recipients"."records" > 1
), "inside" AS (
  SELECT
    "of kept"."record_a" AS "a",
    "of kept"."record_b" AS "b",
    "of kept"."points" AS "points"
  FROM "matching"."links" AS "of kept"
  INNER JOIN "matching"."clusters" AS "of one"
    ON "of kept"."record_a" = "of one"."record_no"
  INNER JOIN "matching"."clusters" AS "of other"
    ON "of kept"."record_b" = "of other"."record_no"
  WHERE
    "of one"."cluster_no" = "of other"."cluster_no"
), "both_ways" AS (
  SELECT
    "of inside"."a" AS "a",
    "of inside"."b" AS "b",
    "of inside"."points" AS "points"
  FROM "inside" AS "of inside"
  UNION ALL
  SELECT
    "of inside"."b" AS "a",
    "of inside"."a" AS "b",
    "of inside"."points" AS "points"
  FROM "inside" AS "of inside"
), "begun" AS (
  SELECT
    "of both_ways"."a" AS "a",
    "of both_ways"."b" AS "b",
    CASE WHEN NOT (
      "of main_records"."record_no" IS NULL
    ) THEN 0 END AS "v"
  FROM "both_ways" AS "of both_ways"
  LEFT JOIN "main_records" AS "of main_records"
    ON "of both_ways"."a" = "of main_records"."record_no"
), "nearest" AS (
  SELECT DISTINCT
    "of depths"."a" AS "node",
    "of depths"."v" AS "depth"
  FROM (
    SELECT
      "of paired"."a" AS "a",
      "of paired"."b" AS "b",
      MIN(
        CASE
          WHEN "of paired"."v" IS NULL OR "of paired"."m" + 1 < "of paired"."v"
          THEN "of paired"."m" + 1
          ELSE "of paired"."v"
        END
      ) OVER (PARTITION BY "of paired"."a") AS "v"
    FROM (
      SELECT
        "of known"."a" AS "a",
        "of known"."b" AS "b",
        "of known"."v" AS "v",
        MIN("of known"."v") OVER (
          PARTITION BY CASE
            WHEN "of known"."a" < "of known"."b"
            THEN "of known"."a"
            ELSE "of known"."b"
          END, CASE
            WHEN "of known"."a" < "of known"."b"
            THEN "of known"."b"
            ELSE "of known"."a"
          END
        ) AS "m"
      FROM (
        SELECT
          "of paired"."a" AS "a",
          "of paired"."b" AS "b",
          MIN(
            CASE
              WHEN "of paired"."v" IS NULL OR "of paired"."m" + 1 < "of paired"."v"
              THEN "of paired"."m" + 1
              ELSE "of paired"."v"
            END
          ) OVER (PARTITION BY "of paired"."a") AS "v"
        FROM (
          SELECT
            "of known"."a" AS "a",
            "of known"."b" AS "b",
            "of known"."v" AS "v",
            MIN("of known"."v") OVER (
              PARTITION BY CASE
                WHEN "of known"."a" < "of known"."b"
                THEN "of known"."a"
                ELSE "of known"."b"
              END, CASE
                WHEN "of known"."a" < "of known"."b"
                THEN "of known"."b"
                ELSE "of known"."a"
              END
            ) AS "m"
          FROM (
            SELECT
              "of paired"."a" AS "a",
              "of paired"."b" AS "b",
              MIN(
                CASE
                  WHEN "of paired"."v" IS NULL OR "of paired"."m" + 1 < "of paired"."v"
                  THEN "of paired"."m" + 1
                  ELSE "of paired"."v"
                END
              ) OVER (PARTITION BY "of paired"."a") AS "v"
            FROM (
              SELECT
                "of known"."a" AS "a",
                "of known"."b" AS "b",
                "of known"."v" AS "v",
                MIN("of known"."v") OVER (
                  PARTITION BY CASE
                    WHEN "of known"."a" < "of known"."b"
                    THEN "of known"."a"
                    ELSE "of known"."b"
                  END, CASE
                    WHEN "of known"."a" < "of known"."b"
                    THEN "of known"."b"
                    ELSE "of known"."a"
                  END
                ) AS "m"
              FROM (
                SELECT
                  "of paired"."a" AS "a",
                  "of paired"."b" AS "b",
                  MIN(
                    CASE
                      WHEN "of paired"."v" IS NULL OR "of paired"."m" + 1 < "of paired"."v"
                      THEN "of paired"."m" + 1
                      ELSE "of paired"."v"
                    END
                  ) OVER (PARTITION BY "of paired"."a") AS "v"
                FROM (
                  SELECT
                    "of known"."a" AS "a",
                    "of known"."b" AS "b",
                    "of known"."v" AS "v",
                    MIN("of known"."v") OVER (
                      PARTITION BY CASE
                        WHEN "of known"."a" < "of known"."b"
                        THEN "of known"."a"
                        ELSE "of known"."b"
                      END, CASE
                        WHEN "of known"."a" < "of known"."b"
                        THEN "of known"."b"
                        ELSE "of known"."a"
                      END
                    ) AS "m"
                  FROM (
                    SELECT
                      "of paired"."a" AS "a",
                      "of paired"."b" AS "b",
                      MIN(
                        CASE
                          WHEN "of paired"."v" IS NULL OR "of paired"."m" + 1 < "of paired"."v"
                          THEN "of paired"."m" + 1
                          ELSE "of paired"."v"
                        END
                      ) OVER (PARTITION BY "of paired"."a") AS "v"
                    FROM (
                      SELECT
                        "of known"."a" AS "a",
                        "of known"."b" AS "b",
                        "of known"."v" AS "v",
                        MIN("of known"."v") OVER (
                          PARTITION BY CASE
                            WHEN "of known"."a" < "of known"."b"
                            THEN "of known"."a"
                            ELSE "of known"."b"
                          END, CASE
                            WHEN "of known"."a" < "of known"."b"
                            THEN "of known"."b"
                            ELSE "of known"."a"
                          END
                        ) AS "m"
                      FROM (
                        SELECT
                          "of paired"."a" AS "a",
                          "of paired"."b" AS "b",
                          MIN(
                            CASE
                              WHEN "of paired"."v" IS NULL OR "of paired"."m" + 1 < "of paired"."v"
                              THEN "of paired"."m" + 1
                              ELSE "of paired"."v"
                            END
                          ) OVER (PARTITION BY "of paired"."a") AS "v"
                        FROM (
                          SELECT
                            "of known"."a" AS "a",
                            "of known"."b" AS "b",
                            "of known"."v" AS "v",
                            MIN("of known"."v") OVER (
                              PARTITION BY CASE
                                WHEN "of known"."a" < "of known"."b"
                                THEN "of known"."a"
                                ELSE "of known"."b"
                              END, CASE
                                WHEN "of known"."a" < "of known"."b"
                                THEN "of known"."b"
                                ELSE "of known"."a"
                              END
                            ) AS "m"
                          FROM (
                            SELECT
                              "of paired"."a" AS "a",
                              "of paired"."b" AS "b",
                              MIN(
                                CASE
                                  WHEN "of paired"."v" IS NULL OR "of paired"."m" + 1 < "of paired"."v"
                                  THEN "of paired"."m" + 1
                                  ELSE "of paired"."v"
                                END
                              ) OVER (PARTITION BY "of paired"."a") AS "v"
                            FROM (
                              SELECT
                                "of known"."a" AS "a",
                                "of known"."b" AS "b",
                                "of known"."v" AS "v",
                                MIN("of known"."v") OVER (
                                  PARTITION BY CASE
                                    WHEN "of known"."a" < "of known"."b"
                                    THEN "of known"."a"
                                    ELSE "of known"."b"
                                  END, CASE
                                    WHEN "of known"."a" < "of known"."b"
                                    THEN "of known"."b"
                                    ELSE "of known"."a"
                                  END
                                ) AS "m"
                              FROM (
                                SELECT
                                  "of paired"."a" AS "a",
                                  "of paired"."b" AS "b",
                                  MIN(
                                    CASE
                                      WHEN "of paired"."v" IS NULL OR "of paired"."m" + 1 < "of paired"."v"
                                      THEN "of paired"."m" + 1
                                      ELSE "of paired"."v"
                                    END
                                  ) OVER (PARTITION BY "of paired"."a") AS "v"
                                FROM (
                                  SELECT
                                    "of known"."a" AS "a",
                                    "of known"."b" AS "b",
                                    "of known"."v" AS "v",
                                    MIN("of known"."v") OVER (
                                      PARTITION BY CASE
                                        WHEN "of known"."a" < "of known"."b"
                                        THEN "of known"."a"
                                        ELSE "of known"."b"
                                      END, CASE
                                        WHEN "of known"."a" < "of known"."b"
                                        THEN "of known"."b"
                                        ELSE "of known"."a"
                                      END
                                    ) AS "m"
                                  FROM (
                                    SELECT
                                      "of begun"."a" AS "a",
                                      "of begun"."b" AS "b",
                                      "of begun"."v" AS "v"
                                    FROM "begun" AS "of begun"
                                  ) AS "of known"
                                ) AS "of paired"
                              ) AS "of known"
                            ) AS "of paired"
                          ) AS "of known"
                        ) AS "of paired"
                      ) AS "of known"
                    ) AS "of paired"
                  ) AS "of known"
                ) AS "of paired"
              ) AS "of known"
            ) AS "of paired"
          ) AS "of known"
        ) AS "of paired"
      ) AS "of known"
    ) AS "of paired"
  ) AS "of depths"
), "parents" AS (
  SELECT
    "of both_ways"."a" AS "child",
    "of both_ways"."b" AS "parent",
    ROW_NUMBER() OVER (
      PARTITION BY "of both_ways"."a"
      ORDER BY "of both_ways"."points" DESC, "of both_ways"."b"
    ) AS "place"
  FROM "both_ways" AS "of both_ways"
  LEFT JOIN "main_records" AS "of roots"
    ON "of both_ways"."a" = "of roots"."record_no"
  LEFT JOIN "nearest" AS "of child"
    ON "of both_ways"."a" = "of child"."node"
  LEFT JOIN "nearest" AS "of parent"
    ON "of both_ways"."b" = "of parent"."node"
  WHERE
    "of roots"."record_no" IS NULL
    AND (
      "of child"."depth" = "of parent"."depth" + 1 OR "of child"."depth" IS NULL
    )
)
SELECT
  "of child"."record_key" AS "record_key",
  "of links"."recipient_id" AS "recipient_id",
  "of child"."account" AS "account",
  "of child"."object" AS "object",
  "of child"."record_id" AS "record_id",
  "of parent"."record_key" AS "merged_into_key",
  "of parent"."account" AS "merged_into_account",
  "of parent"."object" AS "merged_into_object",
  "of parent"."record_id" AS "merged_into_id",
  "of kept"."rule" AS "rule",
  "of pairs"."points" AS "points",
  substringUTF8(
    '' || COALESCE(
      '; ' || 'given name ' || "of pairs"."given_level" || ': ' || REPLACE(CAST("of child"."first_name" AS Nullable(String)), '\n', ', ') || ' / ' || REPLACE(CAST("of parent"."first_name" AS Nullable(String)), '\n', ', '),
      ''
    ) || COALESCE(
      '; ' || 'surname ' || "of pairs"."surname_level" || ': ' || REPLACE(CAST("of child"."last_name" AS Nullable(String)), '\n', ', ') || ' / ' || REPLACE(CAST("of parent"."last_name" AS Nullable(String)), '\n', ', '),
      ''
    ) || COALESCE(
      '; ' || 'birth date ' || "of pairs"."birth_level" || ': ' || REPLACE(CAST("of child"."birth_date" AS Nullable(String)), '\n', ', ') || ' / ' || REPLACE(CAST("of parent"."birth_date" AS Nullable(String)), '\n', ', '),
      ''
    ) || COALESCE(
      '; ' || 'email ' || "of pairs"."email_level" || ': ' || REPLACE(CAST("of child"."email" AS Nullable(String)), '\n', ', ') || ' / ' || REPLACE(CAST("of parent"."email" AS Nullable(String)), '\n', ', '),
      ''
    ) || COALESCE(
      '; ' || 'phone ' || "of pairs"."phone_level" || ': ' || REPLACE(
        CAST(COALESCE("of child"."phone", "of child"."mobile_phone") AS Nullable(String)),
        '\n',
        ', '
      ) || ' / ' || REPLACE(
        CAST(COALESCE("of parent"."phone", "of parent"."mobile_phone") AS Nullable(String)),
        '\n',
        ', '
      ),
      ''
    ) || COALESCE(
      '; ' || 'street ' || "of pairs"."street_level" || ': ' || REPLACE(CAST("of child"."street" AS Nullable(String)), '\n', ', ') || ' / ' || REPLACE(CAST("of parent"."street" AS Nullable(String)), '\n', ', '),
      ''
    ) || COALESCE(
      '; ' || 'place ' || "of pairs"."area_level" || ': ' || REPLACE(
        CAST(substringUTF8(
          '' || COALESCE(' ' || "of child"."postal_code", '') || COALESCE(' ' || "of child"."city", ''),
          lengthUTF8(' ') + 1
        ) AS Nullable(String)),
        '\n',
        ', '
      ) || ' / ' || REPLACE(
        CAST(substringUTF8(
          '' || COALESCE(' ' || "of parent"."postal_code", '') || COALESCE(' ' || "of parent"."city", ''),
          lengthUTF8(' ') + 1
        ) AS Nullable(String)),
        '\n',
        ', '
      ),
      ''
    ),
    lengthUTF8('; ') + 1
  ) AS "compared_values"
FROM "parents" AS "of parents"
INNER JOIN "matching"."records" AS "of child"
  ON "of parents"."child" = "of child"."record_no"
INNER JOIN "matching"."records" AS "of parent"
  ON "of parents"."parent" = "of parent"."record_no"
INNER JOIN "matching"."pairs" AS "of pairs"
  ON LEAST("of parents"."child", "of parents"."parent") = "of pairs"."record_a"
  AND GREATEST("of parents"."child", "of parents"."parent") = "of pairs"."record_b"
INNER JOIN "matching"."links" AS "of kept"
  ON "of pairs"."record_a" = "of kept"."record_a"
  AND "of pairs"."record_b" = "of kept"."record_b"
INNER JOIN "campaign"."recipient_links" AS "of links"
  ON "of child"."record_key" = "of links"."record_key"
WHERE
  "of parents"."place" = 1;

-- export_dynamics_contact
WITH "held" AS (
  SELECT
    "of links"."recipient_id" AS "recipient_id",
    "of links"."record_key" AS "record_key",
    "of records"."member_number" AS "member_number",
    CAST(max("of records"."member_number" = "of recipients"."member_number") OVER (PARTITION BY "of links"."recipient_id") AS Nullable(Bool)) AS "is_held",
    ROW_NUMBER() OVER (
      PARTITION BY "of links"."recipient_id"
      ORDER BY "of records"."created_at" ASC, "of links"."record_key"
    ) AS "place"
  FROM "campaign"."recipient_links" AS "of links"
  INNER JOIN "matching"."records" AS "of records"
    ON "of links"."record_key" = "of records"."record_key"
  INNER JOIN "campaign"."recipients" AS "of recipients"
    ON "of links"."recipient_id" = "of recipients"."recipient_id"
  WHERE
    "of links"."account" = 'dynamics' AND "of links"."object" = 'contact'
)
SELECT
  "of links"."record_id" AS "crm_id",
  "of links"."recipient_id" AS "recipient_id",
  CAST(COALESCE("of scores"."score", 0) AS Nullable(Decimal(18, 1))) AS "score",
  "of scores"."last_open_at" AS "last_open_at",
  "of recipients"."opted_out" AS "opted_out",
  CASE
    WHEN "of held"."member_number" IS NULL
    AND "of held"."place" = 1
    AND NOT COALESCE("of held"."is_held", FALSE)
    THEN "of recipients"."member_number"
    ELSE "of held"."member_number"
  END AS "member_number"
FROM "campaign"."recipient_links" AS "of links"
INNER JOIN "campaign"."recipients" AS "of recipients"
  ON "of links"."recipient_id" = "of recipients"."recipient_id"
INNER JOIN "held" AS "of held"
  ON "of links"."record_key" = "of held"."record_key"
LEFT JOIN "campaign"."engagement_scores" AS "of scores"
  ON "of links"."recipient_id" = "of scores"."recipient_id"
WHERE
  "of links"."account" = 'dynamics'
  AND "of links"."object" = 'contact'
  AND NOT "of links"."is_read_only"
  AND (
    NOT (
      "of scores"."recipient_id" IS NULL
    ) OR "of recipients"."opted_out"
  );

-- export_dynamics_lead
WITH "held" AS (
  SELECT
    "of links"."recipient_id" AS "recipient_id",
    "of links"."record_key" AS "record_key",
    "of records"."member_number" AS "member_number",
    CAST(max("of records"."member_number" = "of recipients"."member_number") OVER (PARTITION BY "of links"."recipient_id") AS Nullable(Bool)) AS "is_held",
    ROW_NUMBER() OVER (
      PARTITION BY "of links"."recipient_id"
      ORDER BY "of records"."created_at" ASC, "of links"."record_key"
    ) AS "place"
  FROM "campaign"."recipient_links" AS "of links"
  INNER JOIN "matching"."records" AS "of records"
    ON "of links"."record_key" = "of records"."record_key"
  INNER JOIN "campaign"."recipients" AS "of recipients"
    ON "of links"."recipient_id" = "of recipients"."recipient_id"
  WHERE
    "of links"."account" = 'dynamics' AND "of links"."object" = 'lead'
)
SELECT
  "of links"."record_id" AS "crm_id",
  "of links"."recipient_id" AS "recipient_id",
  CAST(COALESCE("of scores"."score", 0) AS Nullable(Decimal(18, 1))) AS "score",
  "of scores"."last_open_at" AS "last_open_at",
  "of recipients"."opted_out" AS "opted_out",
  CASE
    WHEN "of held"."member_number" IS NULL
    AND "of held"."place" = 1
    AND NOT COALESCE("of held"."is_held", FALSE)
    THEN "of recipients"."member_number"
    ELSE "of held"."member_number"
  END AS "member_number"
FROM "campaign"."recipient_links" AS "of links"
INNER JOIN "campaign"."recipients" AS "of recipients"
  ON "of links"."recipient_id" = "of recipients"."recipient_id"
INNER JOIN "held" AS "of held"
  ON "of links"."record_key" = "of held"."record_key"
LEFT JOIN "campaign"."engagement_scores" AS "of scores"
  ON "of links"."recipient_id" = "of scores"."recipient_id"
WHERE
  "of links"."account" = 'dynamics'
  AND "of links"."object" = 'lead'
  AND NOT "of links"."is_read_only"
  AND (
    NOT (
      "of scores"."recipient_id" IS NULL
    ) OR "of recipients"."opted_out"
  );

-- export_salesforce_contact
WITH "held" AS (
  SELECT
    "of links"."recipient_id" AS "recipient_id",
    "of links"."record_key" AS "record_key",
    "of records"."member_number" AS "member_number",
    CAST(max("of records"."member_number" = "of recipients"."member_number") OVER (PARTITION BY "of links"."recipient_id") AS Nullable(Bool)) AS "is_held",
    ROW_NUMBER() OVER (
      PARTITION BY "of links"."recipient_id"
      ORDER BY "of records"."created_at" ASC, "of links"."record_key"
    ) AS "place"
  FROM "campaign"."recipient_links" AS "of links"
  INNER JOIN "matching"."records" AS "of records"
    ON "of links"."record_key" = "of records"."record_key"
  INNER JOIN "campaign"."recipients" AS "of recipients"
    ON "of links"."recipient_id" = "of recipients"."recipient_id"
  WHERE
    "of links"."account" = 'salesforce' AND "of links"."object" = 'Contact'
)
SELECT
  "of links"."record_id" AS "crm_id",
  "of links"."recipient_id" AS "recipient_id",
  CAST(COALESCE("of scores"."score", 0) AS Nullable(Decimal(18, 1))) AS "score",
  "of scores"."last_open_at" AS "last_open_at",
  "of recipients"."opted_out" AS "opted_out",
  CASE
    WHEN "of held"."member_number" IS NULL
    AND "of held"."place" = 1
    AND NOT COALESCE("of held"."is_held", FALSE)
    THEN "of recipients"."member_number"
    ELSE "of held"."member_number"
  END AS "member_number"
FROM "campaign"."recipient_links" AS "of links"
INNER JOIN "campaign"."recipients" AS "of recipients"
  ON "of links"."recipient_id" = "of recipients"."recipient_id"
INNER JOIN "held" AS "of held"
  ON "of links"."record_key" = "of held"."record_key"
LEFT JOIN "campaign"."engagement_scores" AS "of scores"
  ON "of links"."recipient_id" = "of scores"."recipient_id"
WHERE
  "of links"."account" = 'salesforce'
  AND "of links"."object" = 'Contact'
  AND NOT "of links"."is_read_only"
  AND (
    NOT (
      "of scores"."recipient_id" IS NULL
    ) OR "of recipients"."opted_out"
  );

-- export_salesforce_lead
WITH "held" AS (
  SELECT
    "of links"."recipient_id" AS "recipient_id",
    "of links"."record_key" AS "record_key",
    "of records"."member_number" AS "member_number",
    CAST(max("of records"."member_number" = "of recipients"."member_number") OVER (PARTITION BY "of links"."recipient_id") AS Nullable(Bool)) AS "is_held",
    ROW_NUMBER() OVER (
      PARTITION BY "of links"."recipient_id"
      ORDER BY "of records"."created_at" ASC, "of links"."record_key"
    ) AS "place"
  FROM "campaign"."recipient_links" AS "of links"
  INNER JOIN "matching"."records" AS "of records"
    ON "of links"."record_key" = "of records"."record_key"
  INNER JOIN "campaign"."recipients" AS "of recipients"
    ON "of links"."recipient_id" = "of recipients"."recipient_id"
  WHERE
    "of links"."account" = 'salesforce' AND "of links"."object" = 'Lead'
)
SELECT
  "of links"."record_id" AS "crm_id",
  "of links"."recipient_id" AS "recipient_id",
  CAST(COALESCE("of scores"."score", 0) AS Nullable(Decimal(18, 1))) AS "score",
  "of scores"."last_open_at" AS "last_open_at",
  "of recipients"."opted_out" AS "opted_out",
  CASE
    WHEN "of held"."member_number" IS NULL
    AND "of held"."place" = 1
    AND NOT COALESCE("of held"."is_held", FALSE)
    THEN "of recipients"."member_number"
    ELSE "of held"."member_number"
  END AS "member_number"
FROM "campaign"."recipient_links" AS "of links"
INNER JOIN "campaign"."recipients" AS "of recipients"
  ON "of links"."recipient_id" = "of recipients"."recipient_id"
INNER JOIN "held" AS "of held"
  ON "of links"."record_key" = "of held"."record_key"
LEFT JOIN "campaign"."engagement_scores" AS "of scores"
  ON "of links"."recipient_id" = "of scores"."recipient_id"
WHERE
  "of links"."account" = 'salesforce'
  AND "of links"."object" = 'Lead'
  AND NOT "of links"."is_read_only"
  AND (
    NOT (
      "of scores"."recipient_id" IS NULL
    ) OR "of recipients"."opted_out"
  );

-- unique_stg_salesforce_contact_record_key
SELECT
  "of tested"."record_key" AS "value",
  COUNT(*) AS "copies"
FROM "staging"."stg_salesforce_contact" AS "of tested"
WHERE
  NOT (
    "of tested"."record_key" IS NULL
  )
GROUP BY
  "of tested"."record_key"
HAVING
  COUNT(*) > 1;

-- not_null_export_salesforce_contact_recipient_id
SELECT
  "of tested"."crm_id" AS "crm_id",
  "of tested"."recipient_id" AS "recipient_id",
  "of tested"."score" AS "score",
  "of tested"."last_open_at" AS "last_open_at",
  "of tested"."opted_out" AS "opted_out",
  "of tested"."member_number" AS "member_number"
FROM "export"."export_salesforce_contact" AS "of tested"
WHERE
  "of tested"."recipient_id" IS NULL;

-- accepted_values_stg_salesforce_contact_account
SELECT
  "of tested"."account" AS "value",
  COUNT(*) AS "copies"
FROM "staging"."stg_salesforce_contact" AS "of tested"
WHERE
  NOT (
    "of tested"."account" IS NULL
  )
  AND NOT (
    "of tested"."account" IN ('salesforce')
  )
GROUP BY
  "of tested"."account";

-- relationships_export_salesforce_contact_recipient_id
SELECT
  "of child"."value" AS "value"
FROM (
  SELECT
    "of tested"."recipient_id" AS "value"
  FROM "export"."export_salesforce_contact" AS "of tested"
) AS "of child"
WHERE
  NOT (
    "of child"."value" IS NULL
  )
  AND NOT EXISTS(
    SELECT
      1 AS "1"
    FROM "campaign"."recipients" AS "of parent"
    WHERE
      "of parent"."recipient_id" = "of child"."value"
  );

