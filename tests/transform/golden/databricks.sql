-- stg_departed
SELECT
  'salesforce:Contact:' || `history`.`id` AS `record_key`,
  'salesforce' AS `account`,
  'Contact' AS `object`,
  `history`.`id` AS `record_id`,
  MAX(CASE WHEN `history`.`version_rank` = 1 THEN `history`.`survivor_key` END) AS `survivor_key`,
  MAX(CASE WHEN `history`.`version_rank` = 1 THEN `history`.`stamp` END) AS `departed_at`,
  MAX(
    CASE
      WHEN `history`.`live_rank` = 1 AND NOT `history`.`is_deleted`
      THEN `history`.`email_key`
    END
  ) AS `email_key`,
  COALESCE(
    BOOL_OR(
      `history`.`live_rank` = 1 AND NOT `history`.`is_deleted` AND `history`.`opted_out`
    ),
    FALSE
  ) AS `opted_out`
FROM (
  SELECT
    `salesforce__contact`.`id` AS `id`,
    `salesforce__contact`.`systemmodstamp` AS `stamp`,
    COALESCE(`salesforce__contact`.`_backhaul_deleted`, FALSE) AS `is_deleted`,
    COALESCE(`salesforce__contact`.`_backhaul_deleted`, FALSE) OR FALSE AS `is_gone`,
    'salesforce:Contact:' || COALESCE(`salesforce__contact`.`_backhaul_survivor`, NULL) AS `survivor_key`,
    CASE
      WHEN REGEXP_LIKE(
        NULLIF(
          TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(
            REGEXP_REPLACE(LOWER(`salesforce__contact`.`email`), '[ \\t\\n\\f\\r]+', ''),
            '^mailto:',
            ''
          ))),
          ''
        ),
        '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
      )
      THEN NULLIF(
        TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(
          REGEXP_REPLACE(LOWER(`salesforce__contact`.`email`), '[ \\t\\n\\f\\r]+', ''),
          '^mailto:',
          ''
        ))),
        ''
      )
    END AS `email_key`,
    COALESCE(`salesforce__contact`.`hasoptedoutofemail`, FALSE) AS `opted_out`,
    ROW_NUMBER() OVER (
      PARTITION BY `salesforce__contact`.`id`
      ORDER BY `salesforce__contact`.`systemmodstamp` DESC, `salesforce__contact`.`_backhaul_seen_at` DESC, `salesforce__contact`.`_dlt_load_id` DESC
    ) AS `version_rank`,
    ROW_NUMBER() OVER (
      PARTITION BY `salesforce__contact`.`id`, COALESCE(`salesforce__contact`.`_backhaul_deleted`, FALSE)
      ORDER BY `salesforce__contact`.`systemmodstamp` DESC, `salesforce__contact`.`_backhaul_seen_at` DESC, `salesforce__contact`.`_dlt_load_id` DESC
    ) AS `live_rank`
  FROM `raw`.`salesforce__contact` AS `salesforce__contact`
) AS `history`
GROUP BY
  `history`.`id`
HAVING
  BOOL_OR(`history`.`version_rank` = 1 AND `history`.`is_gone`)
UNION ALL
SELECT
  'salesforce:Lead:' || `history`.`id` AS `record_key`,
  'salesforce' AS `account`,
  'Lead' AS `object`,
  `history`.`id` AS `record_id`,
  MAX(CASE WHEN `history`.`version_rank` = 1 THEN `history`.`survivor_key` END) AS `survivor_key`,
  MAX(CASE WHEN `history`.`version_rank` = 1 THEN `history`.`stamp` END) AS `departed_at`,
  MAX(
    CASE
      WHEN `history`.`live_rank` = 1 AND NOT `history`.`is_deleted`
      THEN `history`.`email_key`
    END
  ) AS `email_key`,
  COALESCE(
    BOOL_OR(
      `history`.`live_rank` = 1 AND NOT `history`.`is_deleted` AND `history`.`opted_out`
    ),
    FALSE
  ) AS `opted_out`
FROM (
  SELECT
    `salesforce__lead`.`id` AS `id`,
    `salesforce__lead`.`systemmodstamp` AS `stamp`,
    COALESCE(`salesforce__lead`.`_backhaul_deleted`, FALSE) AS `is_deleted`,
    COALESCE(`salesforce__lead`.`_backhaul_deleted`, FALSE) OR FALSE AS `is_gone`,
    'salesforce:Lead:' || COALESCE(`salesforce__lead`.`_backhaul_survivor`, NULL) AS `survivor_key`,
    CASE
      WHEN REGEXP_LIKE(
        NULLIF(
          TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(
            REGEXP_REPLACE(LOWER(`salesforce__lead`.`email`), '[ \\t\\n\\f\\r]+', ''),
            '^mailto:',
            ''
          ))),
          ''
        ),
        '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
      )
      THEN NULLIF(
        TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(
          REGEXP_REPLACE(LOWER(`salesforce__lead`.`email`), '[ \\t\\n\\f\\r]+', ''),
          '^mailto:',
          ''
        ))),
        ''
      )
    END AS `email_key`,
    COALESCE(`salesforce__lead`.`hasoptedoutofemail`, FALSE) AS `opted_out`,
    ROW_NUMBER() OVER (
      PARTITION BY `salesforce__lead`.`id`
      ORDER BY `salesforce__lead`.`systemmodstamp` DESC, `salesforce__lead`.`_backhaul_seen_at` DESC, `salesforce__lead`.`_dlt_load_id` DESC
    ) AS `version_rank`,
    ROW_NUMBER() OVER (
      PARTITION BY `salesforce__lead`.`id`, COALESCE(`salesforce__lead`.`_backhaul_deleted`, FALSE)
      ORDER BY `salesforce__lead`.`systemmodstamp` DESC, `salesforce__lead`.`_backhaul_seen_at` DESC, `salesforce__lead`.`_dlt_load_id` DESC
    ) AS `live_rank`
  FROM `raw`.`salesforce__lead` AS `salesforce__lead`
) AS `history`
GROUP BY
  `history`.`id`
HAVING
  BOOL_OR(`history`.`version_rank` = 1 AND `history`.`is_gone`)
UNION ALL
SELECT
  'dynamics:contact:' || `history`.`contactid` AS `record_key`,
  'dynamics' AS `account`,
  'contact' AS `object`,
  `history`.`contactid` AS `record_id`,
  MAX(CASE WHEN `history`.`version_rank` = 1 THEN `history`.`survivor_key` END) AS `survivor_key`,
  MAX(CASE WHEN `history`.`version_rank` = 1 THEN `history`.`stamp` END) AS `departed_at`,
  MAX(
    CASE
      WHEN `history`.`live_rank` = 1 AND NOT `history`.`is_deleted`
      THEN `history`.`email_key`
    END
  ) AS `email_key`,
  COALESCE(
    BOOL_OR(
      `history`.`live_rank` = 1 AND NOT `history`.`is_deleted` AND `history`.`opted_out`
    ),
    FALSE
  ) AS `opted_out`
FROM (
  SELECT
    `dynamics__contact`.`contactid` AS `contactid`,
    `dynamics__contact`.`modifiedon` AS `stamp`,
    COALESCE(`dynamics__contact`.`_backhaul_deleted`, FALSE) AS `is_deleted`,
    COALESCE(`dynamics__contact`.`_backhaul_deleted`, FALSE)
    OR COALESCE(`dynamics__contact`.`merged`, FALSE) AS `is_gone`,
    'dynamics:contact:' || COALESCE(`dynamics__contact`.`_backhaul_survivor`, `dynamics__contact`.`masterid`) AS `survivor_key`,
    CASE
      WHEN REGEXP_LIKE(
        NULLIF(
          TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(
            REGEXP_REPLACE(LOWER(`dynamics__contact`.`emailaddress1`), '[ \\t\\n\\f\\r]+', ''),
            '^mailto:',
            ''
          ))),
          ''
        ),
        '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
      )
      THEN NULLIF(
        TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(
          REGEXP_REPLACE(LOWER(`dynamics__contact`.`emailaddress1`), '[ \\t\\n\\f\\r]+', ''),
          '^mailto:',
          ''
        ))),
        ''
      )
    END AS `email_key`,
    COALESCE(`dynamics__contact`.`donotbulkemail` OR `dynamics__contact`.`donotemail`, FALSE) AS `opted_out`,
    ROW_NUMBER() OVER (
      PARTITION BY `dynamics__contact`.`contactid`
      ORDER BY `dynamics__contact`.`modifiedon` DESC, `dynamics__contact`.`_backhaul_seen_at` DESC, `dynamics__contact`.`_dlt_load_id` DESC
    ) AS `version_rank`,
    ROW_NUMBER() OVER (
      PARTITION BY `dynamics__contact`.`contactid`, COALESCE(`dynamics__contact`.`_backhaul_deleted`, FALSE)
      ORDER BY `dynamics__contact`.`modifiedon` DESC, `dynamics__contact`.`_backhaul_seen_at` DESC, `dynamics__contact`.`_dlt_load_id` DESC
    ) AS `live_rank`
  FROM `raw`.`dynamics__contact` AS `dynamics__contact`
) AS `history`
GROUP BY
  `history`.`contactid`
HAVING
  BOOL_OR(`history`.`version_rank` = 1 AND `history`.`is_gone`)
UNION ALL
SELECT
  'dynamics:lead:' || `history`.`leadid` AS `record_key`,
  'dynamics' AS `account`,
  'lead' AS `object`,
  `history`.`leadid` AS `record_id`,
  MAX(CASE WHEN `history`.`version_rank` = 1 THEN `history`.`survivor_key` END) AS `survivor_key`,
  MAX(CASE WHEN `history`.`version_rank` = 1 THEN `history`.`stamp` END) AS `departed_at`,
  MAX(
    CASE
      WHEN `history`.`live_rank` = 1 AND NOT `history`.`is_deleted`
      THEN `history`.`email_key`
    END
  ) AS `email_key`,
  COALESCE(
    BOOL_OR(
      `history`.`live_rank` = 1 AND NOT `history`.`is_deleted` AND `history`.`opted_out`
    ),
    FALSE
  ) AS `opted_out`
FROM (
  SELECT
    `dynamics__lead`.`leadid` AS `leadid`,
    `dynamics__lead`.`modifiedon` AS `stamp`,
    COALESCE(`dynamics__lead`.`_backhaul_deleted`, FALSE) AS `is_deleted`,
    COALESCE(`dynamics__lead`.`_backhaul_deleted`, FALSE) OR FALSE AS `is_gone`,
    'dynamics:lead:' || COALESCE(`dynamics__lead`.`_backhaul_survivor`, NULL) AS `survivor_key`,
    CASE
      WHEN REGEXP_LIKE(
        NULLIF(
          TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(
            REGEXP_REPLACE(LOWER(`dynamics__lead`.`emailaddress1`), '[ \\t\\n\\f\\r]+', ''),
            '^mailto:',
            ''
          ))),
          ''
        ),
        '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
      )
      THEN NULLIF(
        TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(
          REGEXP_REPLACE(LOWER(`dynamics__lead`.`emailaddress1`), '[ \\t\\n\\f\\r]+', ''),
          '^mailto:',
          ''
        ))),
        ''
      )
    END AS `email_key`,
    COALESCE(`dynamics__lead`.`donotbulkemail`, FALSE) AS `opted_out`,
    ROW_NUMBER() OVER (
      PARTITION BY `dynamics__lead`.`leadid`
      ORDER BY `dynamics__lead`.`modifiedon` DESC, `dynamics__lead`.`_backhaul_seen_at` DESC, `dynamics__lead`.`_dlt_load_id` DESC
    ) AS `version_rank`,
    ROW_NUMBER() OVER (
      PARTITION BY `dynamics__lead`.`leadid`, COALESCE(`dynamics__lead`.`_backhaul_deleted`, FALSE)
      ORDER BY `dynamics__lead`.`modifiedon` DESC, `dynamics__lead`.`_backhaul_seen_at` DESC, `dynamics__lead`.`_dlt_load_id` DESC
    ) AS `live_rank`
  FROM `raw`.`dynamics__lead` AS `dynamics__lead`
) AS `history`
GROUP BY
  `history`.`leadid`
HAVING
  BOOL_OR(`history`.`version_rank` = 1 AND `history`.`is_gone`);

-- stg_dynamics_contact
WITH `versions` AS (
  SELECT
    `dynamics__contact`.`contactid` AS `record_id`,
    `dynamics__contact`.`salutation` AS `salutation`,
    `dynamics__contact`.`firstname` AS `first_name`,
    `dynamics__contact`.`lastname` AS `last_name`,
    `dynamics__contact`.`emailaddress1` AS `email`,
    `dynamics__contact`.`telephone1` AS `phone`,
    `dynamics__contact`.`mobilephone` AS `mobile_phone`,
    CONCAT_WS(
      CHR(  10),
      `dynamics__contact`.`address1_line1`,
      `dynamics__contact`.`address1_line2`
    ) AS `street`,
    `dynamics__contact`.`address1_city` AS `city`,
    `dynamics__contact`.`address1_stateorprovince` AS `state`,
    `dynamics__contact`.`address1_postalcode` AS `postal_code`,
    `dynamics__contact`.`address1_country` AS `country`,
    CAST(NULL AS STRING) AS `company`,
    `dynamics__contact`.`jobtitle` AS `job_title`,
    CAST(NULL AS STRING) AS `lead_source`,
    `dynamics__contact`.`birthdate` AS `birth_date`,
    COALESCE(`dynamics__contact`.`donotbulkemail`, FALSE)
    OR COALESCE(`dynamics__contact`.`donotemail`, FALSE) AS `opted_out`,
    `dynamics__contact`.`donotphone` AS `do_not_call`,
    `dynamics__contact`.`new_membernumber` AS `member_number`,
    CAST(`dynamics__contact`.`new_campaignscore` AS DECIMAL(5, 1)) AS `campaign_score`,
    `dynamics__contact`.`new_lastopen` AS `last_open_at`,
    CAST(NULL AS STRING) AS `converted_to_id`,
    COALESCE(`dynamics__contact`.`merged`, FALSE) AS `is_merged`,
    FALSE AS `is_read_only`,
    `dynamics__contact`.`createdon` AS `created_at`,
    `dynamics__contact`.`modifiedon` AS `modified_at`,
    COALESCE(`dynamics__contact`.`_backhaul_deleted`, FALSE) AS `is_deleted`,
    `dynamics__contact`.`_backhaul_survivor` AS `survivor_id`,
    ROW_NUMBER() OVER (
      PARTITION BY `dynamics__contact`.`contactid`
      ORDER BY `dynamics__contact`.`modifiedon` DESC, `dynamics__contact`.`_backhaul_seen_at` DESC, `dynamics__contact`.`_dlt_load_id` DESC
    ) AS `version_rank`,
    `dynamics__contact`.`_backhaul_seen_at` AS `seen_at`,
    MD5(
      CONCAT_WS(
        CHR(  31),
        COALESCE(CAST(`dynamics__contact`.`salutation` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`firstname` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`lastname` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`emailaddress1` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`telephone1` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`mobilephone` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`address1_line1` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`address1_line2` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`address1_city` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`address1_stateorprovince` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`address1_postalcode` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`address1_country` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`jobtitle` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`department` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__contact`.`birthdate` AS STRING), CHR(  30))
      )
    ) AS `content_mark`,
    LAG(
      MD5(
        CONCAT_WS(
          CHR(  31),
          COALESCE(CAST(`dynamics__contact`.`salutation` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`firstname` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`lastname` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`emailaddress1` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`telephone1` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`mobilephone` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`address1_line1` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`address1_line2` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`address1_city` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`address1_stateorprovince` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`address1_postalcode` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`address1_country` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`jobtitle` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`department` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__contact`.`birthdate` AS STRING), CHR(  30))
        )
      )
    ) OVER (
      PARTITION BY `dynamics__contact`.`contactid`
      ORDER BY `dynamics__contact`.`modifiedon` ASC, `dynamics__contact`.`_backhaul_seen_at` ASC NULLS LAST, `dynamics__contact`.`_dlt_load_id` ASC NULLS LAST
    ) AS `content_mark_before`,
    COALESCE(`dynamics__contact`.`emailaddress1`, '') AS `email_mark`,
    LAG(COALESCE(`dynamics__contact`.`emailaddress1`, '')) OVER (
      PARTITION BY `dynamics__contact`.`contactid`
      ORDER BY `dynamics__contact`.`modifiedon` ASC, `dynamics__contact`.`_backhaul_seen_at` ASC NULLS LAST, `dynamics__contact`.`_dlt_load_id` ASC NULLS LAST
    ) AS `email_mark_before`
  FROM `raw`.`dynamics__contact` AS `dynamics__contact`
), `newest` AS (
  SELECT
    `versions`.`record_id` AS `record_id`,
    `versions`.`salutation` AS `salutation`,
    `versions`.`first_name` AS `first_name`,
    `versions`.`last_name` AS `last_name`,
    `versions`.`email` AS `email`,
    `versions`.`phone` AS `phone`,
    `versions`.`mobile_phone` AS `mobile_phone`,
    `versions`.`street` AS `street`,
    `versions`.`city` AS `city`,
    `versions`.`state` AS `state`,
    `versions`.`postal_code` AS `postal_code`,
    `versions`.`country` AS `country`,
    `versions`.`company` AS `company`,
    `versions`.`job_title` AS `job_title`,
    `versions`.`lead_source` AS `lead_source`,
    `versions`.`birth_date` AS `birth_date`,
    `versions`.`opted_out` AS `opted_out`,
    `versions`.`do_not_call` AS `do_not_call`,
    `versions`.`member_number` AS `member_number`,
    `versions`.`campaign_score` AS `campaign_score`,
    `versions`.`last_open_at` AS `last_open_at`,
    `versions`.`converted_to_id` AS `converted_to_id`,
    `versions`.`is_merged` AS `is_merged`,
    `versions`.`is_read_only` AS `is_read_only`,
    `versions`.`created_at` AS `created_at`,
    `versions`.`modified_at` AS `modified_at`,
    `versions`.`is_deleted` AS `is_deleted`,
    `versions`.`survivor_id` AS `survivor_id`,
    `versions`.`version_rank` AS `version_rank`,
    `versions`.`seen_at` AS `seen_at`,
    `versions`.`content_mark` AS `content_mark`,
    `versions`.`content_mark_before` AS `content_mark_before`,
    `versions`.`email_mark` AS `email_mark`,
    `versions`.`email_mark_before` AS `email_mark_before`,
    MAX(
      CASE
        WHEN `versions`.`content_mark` IS DISTINCT FROM `versions`.`content_mark_before`
        THEN `versions`.`modified_at`
      END
    ) OVER (PARTITION BY `versions`.`record_id`) AS `content_changed_at`,
    MAX(
      CASE
        WHEN `versions`.`email_mark` IS DISTINCT FROM `versions`.`email_mark_before`
        THEN `versions`.`modified_at`
      END
    ) OVER (PARTITION BY `versions`.`record_id`) AS `email_changed_at`,
    MIN(`versions`.`seen_at`) OVER (PARTITION BY `versions`.`record_id`) AS `first_seen_at`
  FROM `versions` AS `versions`
)
SELECT
  'dynamics:contact:' || `newest`.`record_id` AS `record_key`,
  'dynamics' AS `account`,
  'contact' AS `object`,
  `newest`.`record_id` AS `record_id`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`salutation`), '') AS `salutation`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(`newest`.`first_name`, '[ \\t\\n\\f\\r]+', ' ')),
    ''
  ) AS `first_name`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(`newest`.`last_name`, '[ \\t\\n\\f\\r]+', ' ')),
    ''
  ) AS `last_name`,
  NULLIF(
    TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(REGEXP_REPLACE(LOWER(`newest`.`email`), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''))),
    ''
  ) AS `email`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`phone`), '') AS `phone`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`mobile_phone`), '') AS `mobile_phone`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`street`), '') AS `street`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`city`), '') AS `city`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`state`), '') AS `state`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`postal_code`), '') AS `postal_code`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`country`), '') AS `country`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`company`), '') AS `company`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`job_title`), '') AS `job_title`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`lead_source`), '') AS `lead_source`,
  CASE
    WHEN `newest`.`birth_date` > CAST('1900-01-01' AS DATE)
    AND `newest`.`birth_date` <> CAST('1970-01-01' AS DATE)
    AND `newest`.`birth_date` < CAST('2100-01-01' AS DATE)
    THEN `newest`.`birth_date`
  END AS `birth_date`,
  COALESCE(`newest`.`opted_out`, FALSE) AS `opted_out`,
  COALESCE(`newest`.`do_not_call`, FALSE) AS `do_not_call`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`member_number`), '') AS `member_number`,
  `newest`.`campaign_score` AS `campaign_score`,
  `newest`.`last_open_at` AS `last_open_at`,
  `newest`.`converted_to_id` AS `converted_to_id`,
  `newest`.`is_read_only` AS `is_read_only`,
  `newest`.`created_at` AS `created_at`,
  `newest`.`modified_at` AS `modified_at`,
  `newest`.`content_changed_at` AS `content_changed_at`,
  `newest`.`email_changed_at` AS `email_changed_at`,
  `newest`.`first_seen_at` AS `first_seen_at`,
  `newest`.`seen_at` AS `seen_at`,
  CASE
    WHEN REGEXP_LIKE(
      NULLIF(
        TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(REGEXP_REPLACE(LOWER(`newest`.`email`), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''))),
        ''
      ),
      '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    )
    THEN NULLIF(
      TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(REGEXP_REPLACE(LOWER(`newest`.`email`), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''))),
      ''
    )
  END AS `email_key`,
  CASE
    WHEN LENGTH(
      TRIM(LEADING '0' FROM CASE
        WHEN REGEXP_LIKE(
          TRIM(BOTH '                　' FROM REPLACE(
            REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
            '(0)',
            ''
          )),
          '^(\\(?\\+|00)'
        )
        THEN REGEXP_REPLACE(
          TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          )),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        ))
      END)
    ) >= 6
    AND LENGTH(
      REPLACE(
        TRIM(LEADING '0' FROM CASE
          WHEN REGEXP_LIKE(
            TRIM(BOTH '                　' FROM REPLACE(
              REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            )),
            '^(\\(?\\+|00)'
          )
          THEN REGEXP_REPLACE(
            TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            )),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ))
        END),
        SUBSTRING(
          TRIM(LEADING '0' FROM CASE
            WHEN REGEXP_LIKE(
              TRIM(BOTH '                　' FROM REPLACE(
                REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              )),
              '^(\\(?\\+|00)'
            )
            THEN REGEXP_REPLACE(
              TRIM(LEADING '0' FROM REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              )),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ))
          END),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN TRIM(LEADING '0' FROM CASE
      WHEN REGEXP_LIKE(
        TRIM(BOTH '                　' FROM REPLACE(
          REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
          '(0)',
          ''
        )),
        '^(\\(?\\+|00)'
      )
      THEN REGEXP_REPLACE(
        TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        )),
        '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
        ''
      )
      ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
        REPLACE(
          REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
          '(0)',
          ''
        ),
        '[^0-9]',
        ''
      ))
    END)
  END AS `phone_key`,
  CASE
    WHEN LENGTH(
      TRIM(LEADING '0' FROM CASE
        WHEN REGEXP_LIKE(
          TRIM(BOTH '                　' FROM REPLACE(
            REGEXP_REPLACE(
              LOWER(`newest`.`mobile_phone`),
              '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
              ''
            ),
            '(0)',
            ''
          )),
          '^(\\(?\\+|00)'
        )
        THEN REGEXP_REPLACE(
          TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(
                LOWER(`newest`.`mobile_phone`),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          )),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(
              LOWER(`newest`.`mobile_phone`),
              '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
              ''
            ),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        ))
      END)
    ) >= 6
    AND LENGTH(
      REPLACE(
        TRIM(LEADING '0' FROM CASE
          WHEN REGEXP_LIKE(
            TRIM(BOTH '                　' FROM REPLACE(
              REGEXP_REPLACE(
                LOWER(`newest`.`mobile_phone`),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            )),
            '^(\\(?\\+|00)'
          )
          THEN REGEXP_REPLACE(
            TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER(`newest`.`mobile_phone`),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            )),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(
                LOWER(`newest`.`mobile_phone`),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ))
        END),
        SUBSTRING(
          TRIM(LEADING '0' FROM CASE
            WHEN REGEXP_LIKE(
              TRIM(BOTH '                　' FROM REPLACE(
                REGEXP_REPLACE(
                  LOWER(`newest`.`mobile_phone`),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              )),
              '^(\\(?\\+|00)'
            )
            THEN REGEXP_REPLACE(
              TRIM(LEADING '0' FROM REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER(`newest`.`mobile_phone`),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              )),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER(`newest`.`mobile_phone`),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ))
          END),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN TRIM(LEADING '0' FROM CASE
      WHEN REGEXP_LIKE(
        TRIM(BOTH '                　' FROM REPLACE(
          REGEXP_REPLACE(
            LOWER(`newest`.`mobile_phone`),
            '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
            ''
          ),
          '(0)',
          ''
        )),
        '^(\\(?\\+|00)'
      )
      THEN REGEXP_REPLACE(
        TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(
              LOWER(`newest`.`mobile_phone`),
              '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
              ''
            ),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        )),
        '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
        ''
      )
      ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
        REPLACE(
          REGEXP_REPLACE(
            LOWER(`newest`.`mobile_phone`),
            '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
            ''
          ),
          '(0)',
          ''
        ),
        '[^0-9]',
        ''
      ))
    END)
  END AS `mobile_key`,
  CASE
    WHEN NULLIF(
      TRIM(BOTH '                　' FROM REGEXP_REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              TRANSLATE(
                `backhaul`.strip_accents(LOWER(CAST(`newest`.`first_name` AS STRING))),
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
        '[^\\p{L}\\p{N}]+',
        ' '
      )),
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
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`first_name` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
  END AS `given_key`,
  NULLIF(
    SPLIT_PART(
      REPLACE(
        REPLACE(
          REPLACE(
            COALESCE(
              NULLIF(
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`first_name` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
  ) AS `given_first_key`,
  CASE
    WHEN NULLIF(
      TRIM(BOTH '                　' FROM REGEXP_REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              TRANSLATE(
                `backhaul`.strip_accents(LOWER(CAST(`newest`.`last_name` AS STRING))),
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
        '[^\\p{L}\\p{N}]+',
        ' '
      )),
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
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`last_name` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
  END AS `surname_key`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(
      REGEXP_REPLACE(
        REGEXP_REPLACE(
          REGEXP_REPLACE(
            ' ' || COALESCE(
              NULLIF(
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`street` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
    )),
    ''
  ) AS `street_key`,
  NULLIF(
    TRIM(LEADING '0' FROM COALESCE(
      REGEXP_EXTRACT(`newest`.`street`, '[0-9]+', 0),
      CASE WHEN NOT `newest`.`street` IS NULL THEN '' END
    )),
    ''
  ) AS `house_key`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(
      REPLACE(
        REPLACE(
          REPLACE(
            TRANSLATE(`backhaul`.strip_accents(LOWER(CAST(`newest`.`city` AS STRING))), 'øłđıςþ', 'oldiσt'),
            'ß',
            'ss'
          ),
          'æ',
          'ae'
        ),
        'œ',
        'oe'
      ),
      '[^\\p{L}\\p{N}]+',
      ' '
    )),
    ''
  ) AS `city_key`,
  NULLIF(REGEXP_REPLACE(UPPER(`newest`.`postal_code`), '[^A-Z0-9]', ''), '') AS `postcode_key`
FROM `newest` AS `newest`
WHERE
  `newest`.`version_rank` = 1
  AND NOT `newest`.`is_deleted`
  AND NOT `newest`.`is_merged`;

-- stg_dynamics_lead
WITH `versions` AS (
  SELECT
    `dynamics__lead`.`leadid` AS `record_id`,
    `dynamics__lead`.`salutation` AS `salutation`,
    `dynamics__lead`.`firstname` AS `first_name`,
    `dynamics__lead`.`lastname` AS `last_name`,
    `dynamics__lead`.`emailaddress1` AS `email`,
    `dynamics__lead`.`telephone1` AS `phone`,
    `dynamics__lead`.`mobilephone` AS `mobile_phone`,
    CONCAT_WS(CHR(  10), `dynamics__lead`.`address1_line1`, `dynamics__lead`.`address1_line2`) AS `street`,
    `dynamics__lead`.`address1_city` AS `city`,
    `dynamics__lead`.`address1_stateorprovince` AS `state`,
    `dynamics__lead`.`address1_postalcode` AS `postal_code`,
    `dynamics__lead`.`address1_country` AS `country`,
    `dynamics__lead`.`companyname` AS `company`,
    `dynamics__lead`.`jobtitle` AS `job_title`,
    CAST(`dynamics__lead`.`leadsourcecode` AS STRING) AS `lead_source`,
    CAST(NULL AS DATE) AS `birth_date`,
    `dynamics__lead`.`donotbulkemail` AS `opted_out`,
    FALSE AS `do_not_call`,
    `dynamics__lead`.`new_membernumber` AS `member_number`,
    CAST(`dynamics__lead`.`new_campaignscore` AS DECIMAL(5, 1)) AS `campaign_score`,
    `dynamics__lead`.`new_lastopen` AS `last_open_at`,
    CAST(NULL AS STRING) AS `converted_to_id`,
    FALSE AS `is_read_only`,
    `dynamics__lead`.`createdon` AS `created_at`,
    `dynamics__lead`.`modifiedon` AS `modified_at`,
    COALESCE(`dynamics__lead`.`_backhaul_deleted`, FALSE) AS `is_deleted`,
    `dynamics__lead`.`_backhaul_survivor` AS `survivor_id`,
    ROW_NUMBER() OVER (
      PARTITION BY `dynamics__lead`.`leadid`
      ORDER BY `dynamics__lead`.`modifiedon` DESC, `dynamics__lead`.`_backhaul_seen_at` DESC, `dynamics__lead`.`_dlt_load_id` DESC
    ) AS `version_rank`,
    `dynamics__lead`.`_backhaul_seen_at` AS `seen_at`,
    MD5(
      CONCAT_WS(
        CHR(  31),
        COALESCE(CAST(`dynamics__lead`.`salutation` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`firstname` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`lastname` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`emailaddress1` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`telephone1` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`mobilephone` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`address1_line1` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`address1_line2` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`address1_city` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`address1_stateorprovince` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`address1_postalcode` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`address1_country` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`jobtitle` AS STRING), CHR(  30)),
        COALESCE(CAST(`dynamics__lead`.`companyname` AS STRING), CHR(  30))
      )
    ) AS `content_mark`,
    LAG(
      MD5(
        CONCAT_WS(
          CHR(  31),
          COALESCE(CAST(`dynamics__lead`.`salutation` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`firstname` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`lastname` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`emailaddress1` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`telephone1` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`mobilephone` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`address1_line1` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`address1_line2` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`address1_city` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`address1_stateorprovince` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`address1_postalcode` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`address1_country` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`jobtitle` AS STRING), CHR(  30)),
          COALESCE(CAST(`dynamics__lead`.`companyname` AS STRING), CHR(  30))
        )
      )
    ) OVER (
      PARTITION BY `dynamics__lead`.`leadid`
      ORDER BY `dynamics__lead`.`modifiedon` ASC, `dynamics__lead`.`_backhaul_seen_at` ASC NULLS LAST, `dynamics__lead`.`_dlt_load_id` ASC NULLS LAST
    ) AS `content_mark_before`,
    COALESCE(`dynamics__lead`.`emailaddress1`, '') AS `email_mark`,
    LAG(COALESCE(`dynamics__lead`.`emailaddress1`, '')) OVER (
      PARTITION BY `dynamics__lead`.`leadid`
      ORDER BY `dynamics__lead`.`modifiedon` ASC, `dynamics__lead`.`_backhaul_seen_at` ASC NULLS LAST, `dynamics__lead`.`_dlt_load_id` ASC NULLS LAST
    ) AS `email_mark_before`
  FROM `raw`.`dynamics__lead` AS `dynamics__lead`
), `newest` AS (
  SELECT
    `versions`.`record_id` AS `record_id`,
    `versions`.`salutation` AS `salutation`,
    `versions`.`first_name` AS `first_name`,
    `versions`.`last_name` AS `last_name`,
    `versions`.`email` AS `email`,
    `versions`.`phone` AS `phone`,
    `versions`.`mobile_phone` AS `mobile_phone`,
    `versions`.`street` AS `street`,
    `versions`.`city` AS `city`,
    `versions`.`state` AS `state`,
    `versions`.`postal_code` AS `postal_code`,
    `versions`.`country` AS `country`,
    `versions`.`company` AS `company`,
    `versions`.`job_title` AS `job_title`,
    `versions`.`lead_source` AS `lead_source`,
    `versions`.`birth_date` AS `birth_date`,
    `versions`.`opted_out` AS `opted_out`,
    `versions`.`do_not_call` AS `do_not_call`,
    `versions`.`member_number` AS `member_number`,
    `versions`.`campaign_score` AS `campaign_score`,
    `versions`.`last_open_at` AS `last_open_at`,
    `versions`.`converted_to_id` AS `converted_to_id`,
    `versions`.`is_read_only` AS `is_read_only`,
    `versions`.`created_at` AS `created_at`,
    `versions`.`modified_at` AS `modified_at`,
    `versions`.`is_deleted` AS `is_deleted`,
    `versions`.`survivor_id` AS `survivor_id`,
    `versions`.`version_rank` AS `version_rank`,
    `versions`.`seen_at` AS `seen_at`,
    `versions`.`content_mark` AS `content_mark`,
    `versions`.`content_mark_before` AS `content_mark_before`,
    `versions`.`email_mark` AS `email_mark`,
    `versions`.`email_mark_before` AS `email_mark_before`,
    MAX(
      CASE
        WHEN `versions`.`content_mark` IS DISTINCT FROM `versions`.`content_mark_before`
        THEN `versions`.`modified_at`
      END
    ) OVER (PARTITION BY `versions`.`record_id`) AS `content_changed_at`,
    MAX(
      CASE
        WHEN `versions`.`email_mark` IS DISTINCT FROM `versions`.`email_mark_before`
        THEN `versions`.`modified_at`
      END
    ) OVER (PARTITION BY `versions`.`record_id`) AS `email_changed_at`,
    MIN(`versions`.`seen_at`) OVER (PARTITION BY `versions`.`record_id`) AS `first_seen_at`
  FROM `versions` AS `versions`
)
SELECT
  'dynamics:lead:' || `newest`.`record_id` AS `record_key`,
  'dynamics' AS `account`,
  'lead' AS `object`,
  `newest`.`record_id` AS `record_id`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`salutation`), '') AS `salutation`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(`newest`.`first_name`, '[ \\t\\n\\f\\r]+', ' ')),
    ''
  ) AS `first_name`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(`newest`.`last_name`, '[ \\t\\n\\f\\r]+', ' ')),
    ''
  ) AS `last_name`,
  NULLIF(
    TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(REGEXP_REPLACE(LOWER(`newest`.`email`), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''))),
    ''
  ) AS `email`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`phone`), '') AS `phone`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`mobile_phone`), '') AS `mobile_phone`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`street`), '') AS `street`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`city`), '') AS `city`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`state`), '') AS `state`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`postal_code`), '') AS `postal_code`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`country`), '') AS `country`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`company`), '') AS `company`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`job_title`), '') AS `job_title`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`lead_source`), '') AS `lead_source`,
  CASE
    WHEN `newest`.`birth_date` > CAST('1900-01-01' AS DATE)
    AND `newest`.`birth_date` <> CAST('1970-01-01' AS DATE)
    AND `newest`.`birth_date` < CAST('2100-01-01' AS DATE)
    THEN `newest`.`birth_date`
  END AS `birth_date`,
  COALESCE(`newest`.`opted_out`, FALSE) AS `opted_out`,
  COALESCE(`newest`.`do_not_call`, FALSE) AS `do_not_call`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`member_number`), '') AS `member_number`,
  `newest`.`campaign_score` AS `campaign_score`,
  `newest`.`last_open_at` AS `last_open_at`,
  `newest`.`converted_to_id` AS `converted_to_id`,
  `newest`.`is_read_only` AS `is_read_only`,
  `newest`.`created_at` AS `created_at`,
  `newest`.`modified_at` AS `modified_at`,
  `newest`.`content_changed_at` AS `content_changed_at`,
  `newest`.`email_changed_at` AS `email_changed_at`,
  `newest`.`first_seen_at` AS `first_seen_at`,
  `newest`.`seen_at` AS `seen_at`,
  CASE
    WHEN REGEXP_LIKE(
      NULLIF(
        TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(REGEXP_REPLACE(LOWER(`newest`.`email`), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''))),
        ''
      ),
      '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    )
    THEN NULLIF(
      TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(REGEXP_REPLACE(LOWER(`newest`.`email`), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''))),
      ''
    )
  END AS `email_key`,
  CASE
    WHEN LENGTH(
      TRIM(LEADING '0' FROM CASE
        WHEN REGEXP_LIKE(
          TRIM(BOTH '                　' FROM REPLACE(
            REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
            '(0)',
            ''
          )),
          '^(\\(?\\+|00)'
        )
        THEN REGEXP_REPLACE(
          TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          )),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        ))
      END)
    ) >= 6
    AND LENGTH(
      REPLACE(
        TRIM(LEADING '0' FROM CASE
          WHEN REGEXP_LIKE(
            TRIM(BOTH '                　' FROM REPLACE(
              REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            )),
            '^(\\(?\\+|00)'
          )
          THEN REGEXP_REPLACE(
            TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            )),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ))
        END),
        SUBSTRING(
          TRIM(LEADING '0' FROM CASE
            WHEN REGEXP_LIKE(
              TRIM(BOTH '                　' FROM REPLACE(
                REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              )),
              '^(\\(?\\+|00)'
            )
            THEN REGEXP_REPLACE(
              TRIM(LEADING '0' FROM REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              )),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ))
          END),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN TRIM(LEADING '0' FROM CASE
      WHEN REGEXP_LIKE(
        TRIM(BOTH '                　' FROM REPLACE(
          REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
          '(0)',
          ''
        )),
        '^(\\(?\\+|00)'
      )
      THEN REGEXP_REPLACE(
        TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        )),
        '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
        ''
      )
      ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
        REPLACE(
          REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
          '(0)',
          ''
        ),
        '[^0-9]',
        ''
      ))
    END)
  END AS `phone_key`,
  CASE
    WHEN LENGTH(
      TRIM(LEADING '0' FROM CASE
        WHEN REGEXP_LIKE(
          TRIM(BOTH '                　' FROM REPLACE(
            REGEXP_REPLACE(
              LOWER(`newest`.`mobile_phone`),
              '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
              ''
            ),
            '(0)',
            ''
          )),
          '^(\\(?\\+|00)'
        )
        THEN REGEXP_REPLACE(
          TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(
                LOWER(`newest`.`mobile_phone`),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          )),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(
              LOWER(`newest`.`mobile_phone`),
              '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
              ''
            ),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        ))
      END)
    ) >= 6
    AND LENGTH(
      REPLACE(
        TRIM(LEADING '0' FROM CASE
          WHEN REGEXP_LIKE(
            TRIM(BOTH '                　' FROM REPLACE(
              REGEXP_REPLACE(
                LOWER(`newest`.`mobile_phone`),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            )),
            '^(\\(?\\+|00)'
          )
          THEN REGEXP_REPLACE(
            TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER(`newest`.`mobile_phone`),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            )),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(
                LOWER(`newest`.`mobile_phone`),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ))
        END),
        SUBSTRING(
          TRIM(LEADING '0' FROM CASE
            WHEN REGEXP_LIKE(
              TRIM(BOTH '                　' FROM REPLACE(
                REGEXP_REPLACE(
                  LOWER(`newest`.`mobile_phone`),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              )),
              '^(\\(?\\+|00)'
            )
            THEN REGEXP_REPLACE(
              TRIM(LEADING '0' FROM REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER(`newest`.`mobile_phone`),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              )),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER(`newest`.`mobile_phone`),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ))
          END),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN TRIM(LEADING '0' FROM CASE
      WHEN REGEXP_LIKE(
        TRIM(BOTH '                　' FROM REPLACE(
          REGEXP_REPLACE(
            LOWER(`newest`.`mobile_phone`),
            '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
            ''
          ),
          '(0)',
          ''
        )),
        '^(\\(?\\+|00)'
      )
      THEN REGEXP_REPLACE(
        TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(
              LOWER(`newest`.`mobile_phone`),
              '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
              ''
            ),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        )),
        '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
        ''
      )
      ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
        REPLACE(
          REGEXP_REPLACE(
            LOWER(`newest`.`mobile_phone`),
            '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
            ''
          ),
          '(0)',
          ''
        ),
        '[^0-9]',
        ''
      ))
    END)
  END AS `mobile_key`,
  CASE
    WHEN NULLIF(
      TRIM(BOTH '                　' FROM REGEXP_REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              TRANSLATE(
                `backhaul`.strip_accents(LOWER(CAST(`newest`.`first_name` AS STRING))),
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
        '[^\\p{L}\\p{N}]+',
        ' '
      )),
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
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`first_name` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
  END AS `given_key`,
  NULLIF(
    SPLIT_PART(
      REPLACE(
        REPLACE(
          REPLACE(
            COALESCE(
              NULLIF(
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`first_name` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
  ) AS `given_first_key`,
  CASE
    WHEN NULLIF(
      TRIM(BOTH '                　' FROM REGEXP_REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              TRANSLATE(
                `backhaul`.strip_accents(LOWER(CAST(`newest`.`last_name` AS STRING))),
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
        '[^\\p{L}\\p{N}]+',
        ' '
      )),
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
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`last_name` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
  END AS `surname_key`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(
      REGEXP_REPLACE(
        REGEXP_REPLACE(
          REGEXP_REPLACE(
            ' ' || COALESCE(
              NULLIF(
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`street` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
    )),
    ''
  ) AS `street_key`,
  NULLIF(
    TRIM(LEADING '0' FROM COALESCE(
      REGEXP_EXTRACT(`newest`.`street`, '[0-9]+', 0),
      CASE WHEN NOT `newest`.`street` IS NULL THEN '' END
    )),
    ''
  ) AS `house_key`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(
      REPLACE(
        REPLACE(
          REPLACE(
            TRANSLATE(`backhaul`.strip_accents(LOWER(CAST(`newest`.`city` AS STRING))), 'øłđıςþ', 'oldiσt'),
            'ß',
            'ss'
          ),
          'æ',
          'ae'
        ),
        'œ',
        'oe'
      ),
      '[^\\p{L}\\p{N}]+',
      ' '
    )),
    ''
  ) AS `city_key`,
  NULLIF(REGEXP_REPLACE(UPPER(`newest`.`postal_code`), '[^A-Z0-9]', ''), '') AS `postcode_key`
FROM `newest` AS `newest`
WHERE
  `newest`.`version_rank` = 1 AND NOT `newest`.`is_deleted`;

-- stg_engagement
SELECT
  `engagement_events`.`event_id` AS `event_id`,
  `engagement_events`.`campaign` AS `campaign`,
  `engagement_events`.`event_type` AS `event_type`,
  CASE
    WHEN REGEXP_LIKE(
      NULLIF(
        TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(
          REGEXP_REPLACE(LOWER(`engagement_events`.`email`), '[ \\t\\n\\f\\r]+', ''),
          '^mailto:',
          ''
        ))),
        ''
      ),
      '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    )
    THEN NULLIF(
      TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(
        REGEXP_REPLACE(LOWER(`engagement_events`.`email`), '[ \\t\\n\\f\\r]+', ''),
        '^mailto:',
        ''
      ))),
      ''
    )
  END AS `email_key`,
  `engagement_events`.`occurred_at` AS `occurred_at`
FROM `seeds`.`engagement_events` AS `engagement_events`;

-- addresses
WITH `last_answers` AS (
  SELECT
    `stg_engagement`.`email_key` AS `email_key`,
    MAX(
      CASE
        WHEN `stg_engagement`.`event_type` IN ('open', 'click')
        THEN `stg_engagement`.`occurred_at`
      END
    ) AS `last_answer_at`
  FROM `staging`.`stg_engagement` AS `stg_engagement`
  WHERE
    NOT `stg_engagement`.`email_key` IS NULL
  GROUP BY
    `stg_engagement`.`email_key`
)
SELECT
  `events`.`email_key` AS `email_key`,
  COUNT(*) AS `events`,
  COALESCE(BOOL_OR(`events`.`event_type` = 'opt_out'), FALSE) AS `opted_out`,
  MIN(CASE WHEN `events`.`event_type` = 'opt_out' THEN `events`.`occurred_at` END) AS `opted_out_at`,
  SUM(
    CASE
      WHEN `events`.`event_type` = 'bounce'
      AND (
        `last_answers`.`last_answer_at` IS NULL
        OR `events`.`occurred_at` > `last_answers`.`last_answer_at`
      )
      THEN 1
      ELSE 0
    END
  ) AS `bounces_since_answer`,
  SUM(
    CASE
      WHEN `events`.`event_type` = 'bounce'
      AND (
        `last_answers`.`last_answer_at` IS NULL
        OR `events`.`occurred_at` > `last_answers`.`last_answer_at`
      )
      THEN 1
      ELSE 0
    END
  ) >= 3 AS `is_dead`,
  MAX(CASE WHEN `events`.`event_type` = 'bounce' THEN `events`.`occurred_at` END) AS `last_bounce_at`
FROM `staging`.`stg_engagement` AS `events`
INNER JOIN `last_answers` AS `last_answers`
  ON `events`.`email_key` = `last_answers`.`email_key`
GROUP BY
  `events`.`email_key`;

-- stg_salesforce_contact
WITH `versions` AS (
  SELECT
    `salesforce__contact`.`id` AS `record_id`,
    `salesforce__contact`.`salutation` AS `salutation`,
    `salesforce__contact`.`firstname` AS `first_name`,
    `salesforce__contact`.`lastname` AS `last_name`,
    `salesforce__contact`.`email` AS `email`,
    `salesforce__contact`.`phone` AS `phone`,
    `salesforce__contact`.`mobilephone` AS `mobile_phone`,
    `salesforce__contact`.`mailingstreet` AS `street`,
    `salesforce__contact`.`mailingcity` AS `city`,
    `salesforce__contact`.`mailingstate` AS `state`,
    `salesforce__contact`.`mailingpostalcode` AS `postal_code`,
    `salesforce__contact`.`mailingcountry` AS `country`,
    CAST(NULL AS STRING) AS `company`,
    `salesforce__contact`.`title` AS `job_title`,
    `salesforce__contact`.`leadsource` AS `lead_source`,
    `salesforce__contact`.`birthdate` AS `birth_date`,
    `salesforce__contact`.`hasoptedoutofemail` AS `opted_out`,
    `salesforce__contact`.`donotcall` AS `do_not_call`,
    `salesforce__contact`.`member_number__c` AS `member_number`,
    CAST(`salesforce__contact`.`campaign_score__c` AS DECIMAL(5, 1)) AS `campaign_score`,
    `salesforce__contact`.`last_open__c` AS `last_open_at`,
    CAST(NULL AS STRING) AS `converted_to_id`,
    FALSE AS `is_read_only`,
    `salesforce__contact`.`createddate` AS `created_at`,
    `salesforce__contact`.`systemmodstamp` AS `modified_at`,
    COALESCE(`salesforce__contact`.`_backhaul_deleted`, FALSE) AS `is_deleted`,
    `salesforce__contact`.`_backhaul_survivor` AS `survivor_id`,
    ROW_NUMBER() OVER (
      PARTITION BY `salesforce__contact`.`id`
      ORDER BY `salesforce__contact`.`systemmodstamp` DESC, `salesforce__contact`.`_backhaul_seen_at` DESC, `salesforce__contact`.`_dlt_load_id` DESC
    ) AS `version_rank`,
    `salesforce__contact`.`_backhaul_seen_at` AS `seen_at`,
    MD5(
      CONCAT_WS(
        CHR(  31),
        COALESCE(CAST(`salesforce__contact`.`salutation` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`firstname` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`lastname` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`email` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`phone` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`mobilephone` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`mailingstreet` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`mailingcity` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`mailingstate` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`mailingpostalcode` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`mailingcountry` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`title` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`department` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__contact`.`birthdate` AS STRING), CHR(  30))
      )
    ) AS `content_mark`,
    LAG(
      MD5(
        CONCAT_WS(
          CHR(  31),
          COALESCE(CAST(`salesforce__contact`.`salutation` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`firstname` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`lastname` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`email` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`phone` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`mobilephone` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`mailingstreet` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`mailingcity` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`mailingstate` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`mailingpostalcode` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`mailingcountry` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`title` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`department` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__contact`.`birthdate` AS STRING), CHR(  30))
        )
      )
    ) OVER (
      PARTITION BY `salesforce__contact`.`id`
      ORDER BY `salesforce__contact`.`systemmodstamp` ASC, `salesforce__contact`.`_backhaul_seen_at` ASC NULLS LAST, `salesforce__contact`.`_dlt_load_id` ASC NULLS LAST
    ) AS `content_mark_before`,
    COALESCE(`salesforce__contact`.`email`, '') AS `email_mark`,
    LAG(COALESCE(`salesforce__contact`.`email`, '')) OVER (
      PARTITION BY `salesforce__contact`.`id`
      ORDER BY `salesforce__contact`.`systemmodstamp` ASC, `salesforce__contact`.`_backhaul_seen_at` ASC NULLS LAST, `salesforce__contact`.`_dlt_load_id` ASC NULLS LAST
    ) AS `email_mark_before`
  FROM `raw`.`salesforce__contact` AS `salesforce__contact`
), `newest` AS (
  SELECT
    `versions`.`record_id` AS `record_id`,
    `versions`.`salutation` AS `salutation`,
    `versions`.`first_name` AS `first_name`,
    `versions`.`last_name` AS `last_name`,
    `versions`.`email` AS `email`,
    `versions`.`phone` AS `phone`,
    `versions`.`mobile_phone` AS `mobile_phone`,
    `versions`.`street` AS `street`,
    `versions`.`city` AS `city`,
    `versions`.`state` AS `state`,
    `versions`.`postal_code` AS `postal_code`,
    `versions`.`country` AS `country`,
    `versions`.`company` AS `company`,
    `versions`.`job_title` AS `job_title`,
    `versions`.`lead_source` AS `lead_source`,
    `versions`.`birth_date` AS `birth_date`,
    `versions`.`opted_out` AS `opted_out`,
    `versions`.`do_not_call` AS `do_not_call`,
    `versions`.`member_number` AS `member_number`,
    `versions`.`campaign_score` AS `campaign_score`,
    `versions`.`last_open_at` AS `last_open_at`,
    `versions`.`converted_to_id` AS `converted_to_id`,
    `versions`.`is_read_only` AS `is_read_only`,
    `versions`.`created_at` AS `created_at`,
    `versions`.`modified_at` AS `modified_at`,
    `versions`.`is_deleted` AS `is_deleted`,
    `versions`.`survivor_id` AS `survivor_id`,
    `versions`.`version_rank` AS `version_rank`,
    `versions`.`seen_at` AS `seen_at`,
    `versions`.`content_mark` AS `content_mark`,
    `versions`.`content_mark_before` AS `content_mark_before`,
    `versions`.`email_mark` AS `email_mark`,
    `versions`.`email_mark_before` AS `email_mark_before`,
    MAX(
      CASE
        WHEN `versions`.`content_mark` IS DISTINCT FROM `versions`.`content_mark_before`
        THEN `versions`.`modified_at`
      END
    ) OVER (PARTITION BY `versions`.`record_id`) AS `content_changed_at`,
    MAX(
      CASE
        WHEN `versions`.`email_mark` IS DISTINCT FROM `versions`.`email_mark_before`
        THEN `versions`.`modified_at`
      END
    ) OVER (PARTITION BY `versions`.`record_id`) AS `email_changed_at`,
    MIN(`versions`.`seen_at`) OVER (PARTITION BY `versions`.`record_id`) AS `first_seen_at`
  FROM `versions` AS `versions`
)
SELECT
  'salesforce:Contact:' || `newest`.`record_id` AS `record_key`,
  'salesforce' AS `account`,
  'Contact' AS `object`,
  `newest`.`record_id` AS `record_id`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`salutation`), '') AS `salutation`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(`newest`.`first_name`, '[ \\t\\n\\f\\r]+', ' ')),
    ''
  ) AS `first_name`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(`newest`.`last_name`, '[ \\t\\n\\f\\r]+', ' ')),
    ''
  ) AS `last_name`,
  NULLIF(
    TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(REGEXP_REPLACE(LOWER(`newest`.`email`), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''))),
    ''
  ) AS `email`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`phone`), '') AS `phone`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`mobile_phone`), '') AS `mobile_phone`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`street`), '') AS `street`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`city`), '') AS `city`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`state`), '') AS `state`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`postal_code`), '') AS `postal_code`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`country`), '') AS `country`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`company`), '') AS `company`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`job_title`), '') AS `job_title`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`lead_source`), '') AS `lead_source`,
  CASE
    WHEN `newest`.`birth_date` > CAST('1900-01-01' AS DATE)
    AND `newest`.`birth_date` <> CAST('1970-01-01' AS DATE)
    AND `newest`.`birth_date` < CAST('2100-01-01' AS DATE)
    THEN `newest`.`birth_date`
  END AS `birth_date`,
  COALESCE(`newest`.`opted_out`, FALSE) AS `opted_out`,
  COALESCE(`newest`.`do_not_call`, FALSE) AS `do_not_call`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`member_number`), '') AS `member_number`,
  `newest`.`campaign_score` AS `campaign_score`,
  `newest`.`last_open_at` AS `last_open_at`,
  `newest`.`converted_to_id` AS `converted_to_id`,
  `newest`.`is_read_only` AS `is_read_only`,
  `newest`.`created_at` AS `created_at`,
  `newest`.`modified_at` AS `modified_at`,
  `newest`.`content_changed_at` AS `content_changed_at`,
  `newest`.`email_changed_at` AS `email_changed_at`,
  `newest`.`first_seen_at` AS `first_seen_at`,
  `newest`.`seen_at` AS `seen_at`,
  CASE
    WHEN REGEXP_LIKE(
      NULLIF(
        TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(REGEXP_REPLACE(LOWER(`newest`.`email`), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''))),
        ''
      ),
      '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    )
    THEN NULLIF(
      TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(REGEXP_REPLACE(LOWER(`newest`.`email`), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''))),
      ''
    )
  END AS `email_key`,
  CASE
    WHEN LENGTH(
      TRIM(LEADING '0' FROM CASE
        WHEN REGEXP_LIKE(
          TRIM(BOTH '                　' FROM REPLACE(
            REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
            '(0)',
            ''
          )),
          '^(\\(?\\+|00)'
        )
        THEN REGEXP_REPLACE(
          TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          )),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        ))
      END)
    ) >= 6
    AND LENGTH(
      REPLACE(
        TRIM(LEADING '0' FROM CASE
          WHEN REGEXP_LIKE(
            TRIM(BOTH '                　' FROM REPLACE(
              REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            )),
            '^(\\(?\\+|00)'
          )
          THEN REGEXP_REPLACE(
            TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            )),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ))
        END),
        SUBSTRING(
          TRIM(LEADING '0' FROM CASE
            WHEN REGEXP_LIKE(
              TRIM(BOTH '                　' FROM REPLACE(
                REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              )),
              '^(\\(?\\+|00)'
            )
            THEN REGEXP_REPLACE(
              TRIM(LEADING '0' FROM REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              )),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ))
          END),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN TRIM(LEADING '0' FROM CASE
      WHEN REGEXP_LIKE(
        TRIM(BOTH '                　' FROM REPLACE(
          REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
          '(0)',
          ''
        )),
        '^(\\(?\\+|00)'
      )
      THEN REGEXP_REPLACE(
        TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        )),
        '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
        ''
      )
      ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
        REPLACE(
          REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
          '(0)',
          ''
        ),
        '[^0-9]',
        ''
      ))
    END)
  END AS `phone_key`,
  CASE
    WHEN LENGTH(
      TRIM(LEADING '0' FROM CASE
        WHEN REGEXP_LIKE(
          TRIM(BOTH '                　' FROM REPLACE(
            REGEXP_REPLACE(
              LOWER(`newest`.`mobile_phone`),
              '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
              ''
            ),
            '(0)',
            ''
          )),
          '^(\\(?\\+|00)'
        )
        THEN REGEXP_REPLACE(
          TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(
                LOWER(`newest`.`mobile_phone`),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          )),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(
              LOWER(`newest`.`mobile_phone`),
              '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
              ''
            ),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        ))
      END)
    ) >= 6
    AND LENGTH(
      REPLACE(
        TRIM(LEADING '0' FROM CASE
          WHEN REGEXP_LIKE(
            TRIM(BOTH '                　' FROM REPLACE(
              REGEXP_REPLACE(
                LOWER(`newest`.`mobile_phone`),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            )),
            '^(\\(?\\+|00)'
          )
          THEN REGEXP_REPLACE(
            TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER(`newest`.`mobile_phone`),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            )),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(
                LOWER(`newest`.`mobile_phone`),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ))
        END),
        SUBSTRING(
          TRIM(LEADING '0' FROM CASE
            WHEN REGEXP_LIKE(
              TRIM(BOTH '                　' FROM REPLACE(
                REGEXP_REPLACE(
                  LOWER(`newest`.`mobile_phone`),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              )),
              '^(\\(?\\+|00)'
            )
            THEN REGEXP_REPLACE(
              TRIM(LEADING '0' FROM REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER(`newest`.`mobile_phone`),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              )),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER(`newest`.`mobile_phone`),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ))
          END),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN TRIM(LEADING '0' FROM CASE
      WHEN REGEXP_LIKE(
        TRIM(BOTH '                　' FROM REPLACE(
          REGEXP_REPLACE(
            LOWER(`newest`.`mobile_phone`),
            '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
            ''
          ),
          '(0)',
          ''
        )),
        '^(\\(?\\+|00)'
      )
      THEN REGEXP_REPLACE(
        TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(
              LOWER(`newest`.`mobile_phone`),
              '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
              ''
            ),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        )),
        '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
        ''
      )
      ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
        REPLACE(
          REGEXP_REPLACE(
            LOWER(`newest`.`mobile_phone`),
            '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
            ''
          ),
          '(0)',
          ''
        ),
        '[^0-9]',
        ''
      ))
    END)
  END AS `mobile_key`,
  CASE
    WHEN NULLIF(
      TRIM(BOTH '                　' FROM REGEXP_REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              TRANSLATE(
                `backhaul`.strip_accents(LOWER(CAST(`newest`.`first_name` AS STRING))),
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
        '[^\\p{L}\\p{N}]+',
        ' '
      )),
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
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`first_name` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
  END AS `given_key`,
  NULLIF(
    SPLIT_PART(
      REPLACE(
        REPLACE(
          REPLACE(
            COALESCE(
              NULLIF(
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`first_name` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
  ) AS `given_first_key`,
  CASE
    WHEN NULLIF(
      TRIM(BOTH '                　' FROM REGEXP_REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              TRANSLATE(
                `backhaul`.strip_accents(LOWER(CAST(`newest`.`last_name` AS STRING))),
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
        '[^\\p{L}\\p{N}]+',
        ' '
      )),
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
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`last_name` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
  END AS `surname_key`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(
      REGEXP_REPLACE(
        REGEXP_REPLACE(
          REGEXP_REPLACE(
            ' ' || COALESCE(
              NULLIF(
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`street` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
    )),
    ''
  ) AS `street_key`,
  NULLIF(
    TRIM(LEADING '0' FROM COALESCE(
      REGEXP_EXTRACT(`newest`.`street`, '[0-9]+', 0),
      CASE WHEN NOT `newest`.`street` IS NULL THEN '' END
    )),
    ''
  ) AS `house_key`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(
      REPLACE(
        REPLACE(
          REPLACE(
            TRANSLATE(`backhaul`.strip_accents(LOWER(CAST(`newest`.`city` AS STRING))), 'øłđıςþ', 'oldiσt'),
            'ß',
            'ss'
          ),
          'æ',
          'ae'
        ),
        'œ',
        'oe'
      ),
      '[^\\p{L}\\p{N}]+',
      ' '
    )),
    ''
  ) AS `city_key`,
  NULLIF(REGEXP_REPLACE(UPPER(`newest`.`postal_code`), '[^A-Z0-9]', ''), '') AS `postcode_key`
FROM `newest` AS `newest`
WHERE
  `newest`.`version_rank` = 1 AND NOT `newest`.`is_deleted`;

-- stg_salesforce_lead
WITH `versions` AS (
  SELECT
    `salesforce__lead`.`id` AS `record_id`,
    `salesforce__lead`.`salutation` AS `salutation`,
    `salesforce__lead`.`firstname` AS `first_name`,
    `salesforce__lead`.`lastname` AS `last_name`,
    `salesforce__lead`.`email` AS `email`,
    `salesforce__lead`.`phone` AS `phone`,
    `salesforce__lead`.`mobilephone` AS `mobile_phone`,
    `salesforce__lead`.`street` AS `street`,
    `salesforce__lead`.`city` AS `city`,
    `salesforce__lead`.`state` AS `state`,
    `salesforce__lead`.`postalcode` AS `postal_code`,
    `salesforce__lead`.`country` AS `country`,
    `salesforce__lead`.`company` AS `company`,
    `salesforce__lead`.`title` AS `job_title`,
    `salesforce__lead`.`leadsource` AS `lead_source`,
    CAST(NULL AS DATE) AS `birth_date`,
    `salesforce__lead`.`hasoptedoutofemail` AS `opted_out`,
    `salesforce__lead`.`donotcall` AS `do_not_call`,
    `salesforce__lead`.`member_number__c` AS `member_number`,
    CAST(`salesforce__lead`.`campaign_score__c` AS DECIMAL(5, 1)) AS `campaign_score`,
    `salesforce__lead`.`last_open__c` AS `last_open_at`,
    CASE
      WHEN `salesforce__lead`.`isconverted`
      THEN `salesforce__lead`.`convertedcontactid`
    END AS `converted_to_id`,
    COALESCE(`salesforce__lead`.`isconverted`, FALSE) AS `is_read_only`,
    `salesforce__lead`.`createddate` AS `created_at`,
    `salesforce__lead`.`systemmodstamp` AS `modified_at`,
    COALESCE(`salesforce__lead`.`_backhaul_deleted`, FALSE) AS `is_deleted`,
    `salesforce__lead`.`_backhaul_survivor` AS `survivor_id`,
    ROW_NUMBER() OVER (
      PARTITION BY `salesforce__lead`.`id`
      ORDER BY `salesforce__lead`.`systemmodstamp` DESC, `salesforce__lead`.`_backhaul_seen_at` DESC, `salesforce__lead`.`_dlt_load_id` DESC
    ) AS `version_rank`,
    `salesforce__lead`.`_backhaul_seen_at` AS `seen_at`,
    MD5(
      CONCAT_WS(
        CHR(  31),
        COALESCE(CAST(`salesforce__lead`.`salutation` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__lead`.`firstname` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__lead`.`lastname` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__lead`.`email` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__lead`.`phone` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__lead`.`mobilephone` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__lead`.`street` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__lead`.`city` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__lead`.`state` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__lead`.`postalcode` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__lead`.`country` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__lead`.`title` AS STRING), CHR(  30)),
        COALESCE(CAST(`salesforce__lead`.`company` AS STRING), CHR(  30))
      )
    ) AS `content_mark`,
    LAG(
      MD5(
        CONCAT_WS(
          CHR(  31),
          COALESCE(CAST(`salesforce__lead`.`salutation` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__lead`.`firstname` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__lead`.`lastname` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__lead`.`email` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__lead`.`phone` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__lead`.`mobilephone` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__lead`.`street` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__lead`.`city` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__lead`.`state` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__lead`.`postalcode` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__lead`.`country` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__lead`.`title` AS STRING), CHR(  30)),
          COALESCE(CAST(`salesforce__lead`.`company` AS STRING), CHR(  30))
        )
      )
    ) OVER (
      PARTITION BY `salesforce__lead`.`id`
      ORDER BY `salesforce__lead`.`systemmodstamp` ASC, `salesforce__lead`.`_backhaul_seen_at` ASC NULLS LAST, `salesforce__lead`.`_dlt_load_id` ASC NULLS LAST
    ) AS `content_mark_before`,
    COALESCE(`salesforce__lead`.`email`, '') AS `email_mark`,
    LAG(COALESCE(`salesforce__lead`.`email`, '')) OVER (
      PARTITION BY `salesforce__lead`.`id`
      ORDER BY `salesforce__lead`.`systemmodstamp` ASC, `salesforce__lead`.`_backhaul_seen_at` ASC NULLS LAST, `salesforce__lead`.`_dlt_load_id` ASC NULLS LAST
    ) AS `email_mark_before`
  FROM `raw`.`salesforce__lead` AS `salesforce__lead`
), `newest` AS (
  SELECT
    `versions`.`record_id` AS `record_id`,
    `versions`.`salutation` AS `salutation`,
    `versions`.`first_name` AS `first_name`,
    `versions`.`last_name` AS `last_name`,
    `versions`.`email` AS `email`,
    `versions`.`phone` AS `phone`,
    `versions`.`mobile_phone` AS `mobile_phone`,
    `versions`.`street` AS `street`,
    `versions`.`city` AS `city`,
    `versions`.`state` AS `state`,
    `versions`.`postal_code` AS `postal_code`,
    `versions`.`country` AS `country`,
    `versions`.`company` AS `company`,
    `versions`.`job_title` AS `job_title`,
    `versions`.`lead_source` AS `lead_source`,
    `versions`.`birth_date` AS `birth_date`,
    `versions`.`opted_out` AS `opted_out`,
    `versions`.`do_not_call` AS `do_not_call`,
    `versions`.`member_number` AS `member_number`,
    `versions`.`campaign_score` AS `campaign_score`,
    `versions`.`last_open_at` AS `last_open_at`,
    `versions`.`converted_to_id` AS `converted_to_id`,
    `versions`.`is_read_only` AS `is_read_only`,
    `versions`.`created_at` AS `created_at`,
    `versions`.`modified_at` AS `modified_at`,
    `versions`.`is_deleted` AS `is_deleted`,
    `versions`.`survivor_id` AS `survivor_id`,
    `versions`.`version_rank` AS `version_rank`,
    `versions`.`seen_at` AS `seen_at`,
    `versions`.`content_mark` AS `content_mark`,
    `versions`.`content_mark_before` AS `content_mark_before`,
    `versions`.`email_mark` AS `email_mark`,
    `versions`.`email_mark_before` AS `email_mark_before`,
    MAX(
      CASE
        WHEN `versions`.`content_mark` IS DISTINCT FROM `versions`.`content_mark_before`
        THEN `versions`.`modified_at`
      END
    ) OVER (PARTITION BY `versions`.`record_id`) AS `content_changed_at`,
    MAX(
      CASE
        WHEN `versions`.`email_mark` IS DISTINCT FROM `versions`.`email_mark_before`
        THEN `versions`.`modified_at`
      END
    ) OVER (PARTITION BY `versions`.`record_id`) AS `email_changed_at`,
    MIN(`versions`.`seen_at`) OVER (PARTITION BY `versions`.`record_id`) AS `first_seen_at`
  FROM `versions` AS `versions`
)
SELECT
  'salesforce:Lead:' || `newest`.`record_id` AS `record_key`,
  'salesforce' AS `account`,
  'Lead' AS `object`,
  `newest`.`record_id` AS `record_id`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`salutation`), '') AS `salutation`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(`newest`.`first_name`, '[ \\t\\n\\f\\r]+', ' ')),
    ''
  ) AS `first_name`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(`newest`.`last_name`, '[ \\t\\n\\f\\r]+', ' ')),
    ''
  ) AS `last_name`,
  NULLIF(
    TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(REGEXP_REPLACE(LOWER(`newest`.`email`), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''))),
    ''
  ) AS `email`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`phone`), '') AS `phone`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`mobile_phone`), '') AS `mobile_phone`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`street`), '') AS `street`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`city`), '') AS `city`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`state`), '') AS `state`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`postal_code`), '') AS `postal_code`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`country`), '') AS `country`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`company`), '') AS `company`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`job_title`), '') AS `job_title`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`lead_source`), '') AS `lead_source`,
  CASE
    WHEN `newest`.`birth_date` > CAST('1900-01-01' AS DATE)
    AND `newest`.`birth_date` <> CAST('1970-01-01' AS DATE)
    AND `newest`.`birth_date` < CAST('2100-01-01' AS DATE)
    THEN `newest`.`birth_date`
  END AS `birth_date`,
  COALESCE(`newest`.`opted_out`, FALSE) AS `opted_out`,
  COALESCE(`newest`.`do_not_call`, FALSE) AS `do_not_call`,
  NULLIF(TRIM(BOTH '                　' FROM `newest`.`member_number`), '') AS `member_number`,
  `newest`.`campaign_score` AS `campaign_score`,
  `newest`.`last_open_at` AS `last_open_at`,
  `newest`.`converted_to_id` AS `converted_to_id`,
  `newest`.`is_read_only` AS `is_read_only`,
  `newest`.`created_at` AS `created_at`,
  `newest`.`modified_at` AS `modified_at`,
  `newest`.`content_changed_at` AS `content_changed_at`,
  `newest`.`email_changed_at` AS `email_changed_at`,
  `newest`.`first_seen_at` AS `first_seen_at`,
  `newest`.`seen_at` AS `seen_at`,
  CASE
    WHEN REGEXP_LIKE(
      NULLIF(
        TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(REGEXP_REPLACE(LOWER(`newest`.`email`), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''))),
        ''
      ),
      '^[a-z0-9!#$%&\'*+/=?^_`{|}~.-]+@([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$'
    )
    THEN NULLIF(
      TRIM(TRAILING '>),.;' FROM TRIM(LEADING '<(' FROM REGEXP_REPLACE(REGEXP_REPLACE(LOWER(`newest`.`email`), '[ \\t\\n\\f\\r]+', ''), '^mailto:', ''))),
      ''
    )
  END AS `email_key`,
  CASE
    WHEN LENGTH(
      TRIM(LEADING '0' FROM CASE
        WHEN REGEXP_LIKE(
          TRIM(BOTH '                　' FROM REPLACE(
            REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
            '(0)',
            ''
          )),
          '^(\\(?\\+|00)'
        )
        THEN REGEXP_REPLACE(
          TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          )),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        ))
      END)
    ) >= 6
    AND LENGTH(
      REPLACE(
        TRIM(LEADING '0' FROM CASE
          WHEN REGEXP_LIKE(
            TRIM(BOTH '                　' FROM REPLACE(
              REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            )),
            '^(\\(?\\+|00)'
          )
          THEN REGEXP_REPLACE(
            TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            )),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ))
        END),
        SUBSTRING(
          TRIM(LEADING '0' FROM CASE
            WHEN REGEXP_LIKE(
              TRIM(BOTH '                　' FROM REPLACE(
                REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              )),
              '^(\\(?\\+|00)'
            )
            THEN REGEXP_REPLACE(
              TRIM(LEADING '0' FROM REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              )),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ))
          END),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN TRIM(LEADING '0' FROM CASE
      WHEN REGEXP_LIKE(
        TRIM(BOTH '                　' FROM REPLACE(
          REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
          '(0)',
          ''
        )),
        '^(\\(?\\+|00)'
      )
      THEN REGEXP_REPLACE(
        TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        )),
        '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
        ''
      )
      ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
        REPLACE(
          REGEXP_REPLACE(LOWER(`newest`.`phone`), '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$', ''),
          '(0)',
          ''
        ),
        '[^0-9]',
        ''
      ))
    END)
  END AS `phone_key`,
  CASE
    WHEN LENGTH(
      TRIM(LEADING '0' FROM CASE
        WHEN REGEXP_LIKE(
          TRIM(BOTH '                　' FROM REPLACE(
            REGEXP_REPLACE(
              LOWER(`newest`.`mobile_phone`),
              '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
              ''
            ),
            '(0)',
            ''
          )),
          '^(\\(?\\+|00)'
        )
        THEN REGEXP_REPLACE(
          TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(
                LOWER(`newest`.`mobile_phone`),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          )),
          '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
          ''
        )
        ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(
              LOWER(`newest`.`mobile_phone`),
              '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
              ''
            ),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        ))
      END)
    ) >= 6
    AND LENGTH(
      REPLACE(
        TRIM(LEADING '0' FROM CASE
          WHEN REGEXP_LIKE(
            TRIM(BOTH '                　' FROM REPLACE(
              REGEXP_REPLACE(
                LOWER(`newest`.`mobile_phone`),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            )),
            '^(\\(?\\+|00)'
          )
          THEN REGEXP_REPLACE(
            TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER(`newest`.`mobile_phone`),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            )),
            '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
            ''
          )
          ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
            REPLACE(
              REGEXP_REPLACE(
                LOWER(`newest`.`mobile_phone`),
                '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                ''
              ),
              '(0)',
              ''
            ),
            '[^0-9]',
            ''
          ))
        END),
        SUBSTRING(
          TRIM(LEADING '0' FROM CASE
            WHEN REGEXP_LIKE(
              TRIM(BOTH '                　' FROM REPLACE(
                REGEXP_REPLACE(
                  LOWER(`newest`.`mobile_phone`),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              )),
              '^(\\(?\\+|00)'
            )
            THEN REGEXP_REPLACE(
              TRIM(LEADING '0' FROM REGEXP_REPLACE(
                REPLACE(
                  REGEXP_REPLACE(
                    LOWER(`newest`.`mobile_phone`),
                    '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                    ''
                  ),
                  '(0)',
                  ''
                ),
                '[^0-9]',
                ''
              )),
              '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
              ''
            )
            ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
              REPLACE(
                REGEXP_REPLACE(
                  LOWER(`newest`.`mobile_phone`),
                  '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
                  ''
                ),
                '(0)',
                ''
              ),
              '[^0-9]',
              ''
            ))
          END),
          1,
          1
        ),
        ''
      )
    ) > 0
    THEN TRIM(LEADING '0' FROM CASE
      WHEN REGEXP_LIKE(
        TRIM(BOTH '                　' FROM REPLACE(
          REGEXP_REPLACE(
            LOWER(`newest`.`mobile_phone`),
            '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
            ''
          ),
          '(0)',
          ''
        )),
        '^(\\(?\\+|00)'
      )
      THEN REGEXP_REPLACE(
        TRIM(LEADING '0' FROM REGEXP_REPLACE(
          REPLACE(
            REGEXP_REPLACE(
              LOWER(`newest`.`mobile_phone`),
              '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
              ''
            ),
            '(0)',
            ''
          ),
          '[^0-9]',
          ''
        )),
        '^(1|7|2[07]|3[0123469]|4[013456789]|5[12345678]|6[0123456]|8[1246]|9[0123458]|2[1-689][0-9]|3[578][0-9]|42[0-9]|5[09][0-9]|6[789][0-9]|8[035789][0-9]|9[679][0-9])',
        ''
      )
      ELSE TRIM(LEADING '0' FROM REGEXP_REPLACE(
        REPLACE(
          REGEXP_REPLACE(
            LOWER(`newest`.`mobile_phone`),
            '[ \\t\\n\\f\\r]*(ext|x|#|durchwahl|poste|wewn).*$',
            ''
          ),
          '(0)',
          ''
        ),
        '[^0-9]',
        ''
      ))
    END)
  END AS `mobile_key`,
  CASE
    WHEN NULLIF(
      TRIM(BOTH '                　' FROM REGEXP_REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              TRANSLATE(
                `backhaul`.strip_accents(LOWER(CAST(`newest`.`first_name` AS STRING))),
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
        '[^\\p{L}\\p{N}]+',
        ' '
      )),
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
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`first_name` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
  END AS `given_key`,
  NULLIF(
    SPLIT_PART(
      REPLACE(
        REPLACE(
          REPLACE(
            COALESCE(
              NULLIF(
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`first_name` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
  ) AS `given_first_key`,
  CASE
    WHEN NULLIF(
      TRIM(BOTH '                　' FROM REGEXP_REPLACE(
        REPLACE(
          REPLACE(
            REPLACE(
              TRANSLATE(
                `backhaul`.strip_accents(LOWER(CAST(`newest`.`last_name` AS STRING))),
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
        '[^\\p{L}\\p{N}]+',
        ' '
      )),
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
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`last_name` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
  END AS `surname_key`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(
      REGEXP_REPLACE(
        REGEXP_REPLACE(
          REGEXP_REPLACE(
            ' ' || COALESCE(
              NULLIF(
                TRIM(BOTH '                　' FROM REGEXP_REPLACE(
                  REPLACE(
                    REPLACE(
                      REPLACE(
                        TRANSLATE(
                          `backhaul`.strip_accents(LOWER(CAST(`newest`.`street` AS STRING))),
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
                  '[^\\p{L}\\p{N}]+',
                  ' '
                )),
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
    )),
    ''
  ) AS `street_key`,
  NULLIF(
    TRIM(LEADING '0' FROM COALESCE(
      REGEXP_EXTRACT(`newest`.`street`, '[0-9]+', 0),
      CASE WHEN NOT `newest`.`street` IS NULL THEN '' END
    )),
    ''
  ) AS `house_key`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(
      REPLACE(
        REPLACE(
          REPLACE(
            TRANSLATE(`backhaul`.strip_accents(LOWER(CAST(`newest`.`city` AS STRING))), 'øłđıςþ', 'oldiσt'),
            'ß',
            'ss'
          ),
          'æ',
          'ae'
        ),
        'œ',
        'oe'
      ),
      '[^\\p{L}\\p{N}]+',
      ' '
    )),
    ''
  ) AS `city_key`,
  NULLIF(REGEXP_REPLACE(UPPER(`newest`.`postal_code`), '[^A-Z0-9]', ''), '') AS `postcode_key`
FROM `newest` AS `newest`
WHERE
  `newest`.`version_rank` = 1 AND NOT `newest`.`is_deleted`;

-- records
WITH `every_record` AS (
  SELECT
    `stg_salesforce_contact`.`record_key` AS `record_key`,
    `stg_salesforce_contact`.`account` AS `account`,
    `stg_salesforce_contact`.`object` AS `object`,
    `stg_salesforce_contact`.`record_id` AS `record_id`,
    `stg_salesforce_contact`.`converted_to_id` AS `converted_to_id`,
    `stg_salesforce_contact`.`is_read_only` AS `is_read_only`,
    `stg_salesforce_contact`.`salutation` AS `salutation`,
    `stg_salesforce_contact`.`first_name` AS `first_name`,
    `stg_salesforce_contact`.`last_name` AS `last_name`,
    `stg_salesforce_contact`.`email` AS `email`,
    `stg_salesforce_contact`.`phone` AS `phone`,
    `stg_salesforce_contact`.`mobile_phone` AS `mobile_phone`,
    `stg_salesforce_contact`.`street` AS `street`,
    `stg_salesforce_contact`.`city` AS `city`,
    `stg_salesforce_contact`.`state` AS `state`,
    `stg_salesforce_contact`.`postal_code` AS `postal_code`,
    `stg_salesforce_contact`.`country` AS `country`,
    `stg_salesforce_contact`.`company` AS `company`,
    `stg_salesforce_contact`.`job_title` AS `job_title`,
    `stg_salesforce_contact`.`birth_date` AS `birth_date`,
    `stg_salesforce_contact`.`opted_out` AS `opted_out`,
    `stg_salesforce_contact`.`do_not_call` AS `do_not_call`,
    `stg_salesforce_contact`.`member_number` AS `member_number`,
    `stg_salesforce_contact`.`created_at` AS `created_at`,
    `stg_salesforce_contact`.`modified_at` AS `modified_at`,
    `stg_salesforce_contact`.`content_changed_at` AS `content_changed_at`,
    `stg_salesforce_contact`.`email_changed_at` AS `email_changed_at`,
    `stg_salesforce_contact`.`first_seen_at` AS `first_seen_at`,
    `stg_salesforce_contact`.`seen_at` AS `seen_at`,
    `stg_salesforce_contact`.`email_key` AS `email_key`,
    `stg_salesforce_contact`.`phone_key` AS `phone_key`,
    `stg_salesforce_contact`.`mobile_key` AS `mobile_key`,
    `stg_salesforce_contact`.`given_key` AS `given_key`,
    `stg_salesforce_contact`.`given_first_key` AS `given_first_key`,
    `stg_salesforce_contact`.`surname_key` AS `surname_key`,
    `stg_salesforce_contact`.`street_key` AS `street_key`,
    `stg_salesforce_contact`.`house_key` AS `house_key`,
    `stg_salesforce_contact`.`city_key` AS `city_key`,
    `stg_salesforce_contact`.`postcode_key` AS `postcode_key`
  FROM `staging`.`stg_salesforce_contact` AS `stg_salesforce_contact`
  UNION ALL
  SELECT
    `stg_salesforce_lead`.`record_key` AS `record_key`,
    `stg_salesforce_lead`.`account` AS `account`,
    `stg_salesforce_lead`.`object` AS `object`,
    `stg_salesforce_lead`.`record_id` AS `record_id`,
    `stg_salesforce_lead`.`converted_to_id` AS `converted_to_id`,
    `stg_salesforce_lead`.`is_read_only` AS `is_read_only`,
    `stg_salesforce_lead`.`salutation` AS `salutation`,
    `stg_salesforce_lead`.`first_name` AS `first_name`,
    `stg_salesforce_lead`.`last_name` AS `last_name`,
    `stg_salesforce_lead`.`email` AS `email`,
    `stg_salesforce_lead`.`phone` AS `phone`,
    `stg_salesforce_lead`.`mobile_phone` AS `mobile_phone`,
    `stg_salesforce_lead`.`street` AS `street`,
    `stg_salesforce_lead`.`city` AS `city`,
    `stg_salesforce_lead`.`state` AS `state`,
    `stg_salesforce_lead`.`postal_code` AS `postal_code`,
    `stg_salesforce_lead`.`country` AS `country`,
    `stg_salesforce_lead`.`company` AS `company`,
    `stg_salesforce_lead`.`job_title` AS `job_title`,
    `stg_salesforce_lead`.`birth_date` AS `birth_date`,
    `stg_salesforce_lead`.`opted_out` AS `opted_out`,
    `stg_salesforce_lead`.`do_not_call` AS `do_not_call`,
    `stg_salesforce_lead`.`member_number` AS `member_number`,
    `stg_salesforce_lead`.`created_at` AS `created_at`,
    `stg_salesforce_lead`.`modified_at` AS `modified_at`,
    `stg_salesforce_lead`.`content_changed_at` AS `content_changed_at`,
    `stg_salesforce_lead`.`email_changed_at` AS `email_changed_at`,
    `stg_salesforce_lead`.`first_seen_at` AS `first_seen_at`,
    `stg_salesforce_lead`.`seen_at` AS `seen_at`,
    `stg_salesforce_lead`.`email_key` AS `email_key`,
    `stg_salesforce_lead`.`phone_key` AS `phone_key`,
    `stg_salesforce_lead`.`mobile_key` AS `mobile_key`,
    `stg_salesforce_lead`.`given_key` AS `given_key`,
    `stg_salesforce_lead`.`given_first_key` AS `given_first_key`,
    `stg_salesforce_lead`.`surname_key` AS `surname_key`,
    `stg_salesforce_lead`.`street_key` AS `street_key`,
    `stg_salesforce_lead`.`house_key` AS `house_key`,
    `stg_salesforce_lead`.`city_key` AS `city_key`,
    `stg_salesforce_lead`.`postcode_key` AS `postcode_key`
  FROM `staging`.`stg_salesforce_lead` AS `stg_salesforce_lead`
  UNION ALL
  SELECT
    `stg_dynamics_contact`.`record_key` AS `record_key`,
    `stg_dynamics_contact`.`account` AS `account`,
    `stg_dynamics_contact`.`object` AS `object`,
    `stg_dynamics_contact`.`record_id` AS `record_id`,
    `stg_dynamics_contact`.`converted_to_id` AS `converted_to_id`,
    `stg_dynamics_contact`.`is_read_only` AS `is_read_only`,
    `stg_dynamics_contact`.`salutation` AS `salutation`,
    `stg_dynamics_contact`.`first_name` AS `first_name`,
    `stg_dynamics_contact`.`last_name` AS `last_name`,
    `stg_dynamics_contact`.`email` AS `email`,
    `stg_dynamics_contact`.`phone` AS `phone`,
    `stg_dynamics_contact`.`mobile_phone` AS `mobile_phone`,
    `stg_dynamics_contact`.`street` AS `street`,
    `stg_dynamics_contact`.`city` AS `city`,
    `stg_dynamics_contact`.`state` AS `state`,
    `stg_dynamics_contact`.`postal_code` AS `postal_code`,
    `stg_dynamics_contact`.`country` AS `country`,
    `stg_dynamics_contact`.`company` AS `company`,
    `stg_dynamics_contact`.`job_title` AS `job_title`,
    `stg_dynamics_contact`.`birth_date` AS `birth_date`,
    `stg_dynamics_contact`.`opted_out` AS `opted_out`,
    `stg_dynamics_contact`.`do_not_call` AS `do_not_call`,
    `stg_dynamics_contact`.`member_number` AS `member_number`,
    `stg_dynamics_contact`.`created_at` AS `created_at`,
    `stg_dynamics_contact`.`modified_at` AS `modified_at`,
    `stg_dynamics_contact`.`content_changed_at` AS `content_changed_at`,
    `stg_dynamics_contact`.`email_changed_at` AS `email_changed_at`,
    `stg_dynamics_contact`.`first_seen_at` AS `first_seen_at`,
    `stg_dynamics_contact`.`seen_at` AS `seen_at`,
    `stg_dynamics_contact`.`email_key` AS `email_key`,
    `stg_dynamics_contact`.`phone_key` AS `phone_key`,
    `stg_dynamics_contact`.`mobile_key` AS `mobile_key`,
    `stg_dynamics_contact`.`given_key` AS `given_key`,
    `stg_dynamics_contact`.`given_first_key` AS `given_first_key`,
    `stg_dynamics_contact`.`surname_key` AS `surname_key`,
    `stg_dynamics_contact`.`street_key` AS `street_key`,
    `stg_dynamics_contact`.`house_key` AS `house_key`,
    `stg_dynamics_contact`.`city_key` AS `city_key`,
    `stg_dynamics_contact`.`postcode_key` AS `postcode_key`
  FROM `staging`.`stg_dynamics_contact` AS `stg_dynamics_contact`
  UNION ALL
  SELECT
    `stg_dynamics_lead`.`record_key` AS `record_key`,
    `stg_dynamics_lead`.`account` AS `account`,
    `stg_dynamics_lead`.`object` AS `object`,
    `stg_dynamics_lead`.`record_id` AS `record_id`,
    `stg_dynamics_lead`.`converted_to_id` AS `converted_to_id`,
    `stg_dynamics_lead`.`is_read_only` AS `is_read_only`,
    `stg_dynamics_lead`.`salutation` AS `salutation`,
    `stg_dynamics_lead`.`first_name` AS `first_name`,
    `stg_dynamics_lead`.`last_name` AS `last_name`,
    `stg_dynamics_lead`.`email` AS `email`,
    `stg_dynamics_lead`.`phone` AS `phone`,
    `stg_dynamics_lead`.`mobile_phone` AS `mobile_phone`,
    `stg_dynamics_lead`.`street` AS `street`,
    `stg_dynamics_lead`.`city` AS `city`,
    `stg_dynamics_lead`.`state` AS `state`,
    `stg_dynamics_lead`.`postal_code` AS `postal_code`,
    `stg_dynamics_lead`.`country` AS `country`,
    `stg_dynamics_lead`.`company` AS `company`,
    `stg_dynamics_lead`.`job_title` AS `job_title`,
    `stg_dynamics_lead`.`birth_date` AS `birth_date`,
    `stg_dynamics_lead`.`opted_out` AS `opted_out`,
    `stg_dynamics_lead`.`do_not_call` AS `do_not_call`,
    `stg_dynamics_lead`.`member_number` AS `member_number`,
    `stg_dynamics_lead`.`created_at` AS `created_at`,
    `stg_dynamics_lead`.`modified_at` AS `modified_at`,
    `stg_dynamics_lead`.`content_changed_at` AS `content_changed_at`,
    `stg_dynamics_lead`.`email_changed_at` AS `email_changed_at`,
    `stg_dynamics_lead`.`first_seen_at` AS `first_seen_at`,
    `stg_dynamics_lead`.`seen_at` AS `seen_at`,
    `stg_dynamics_lead`.`email_key` AS `email_key`,
    `stg_dynamics_lead`.`phone_key` AS `phone_key`,
    `stg_dynamics_lead`.`mobile_key` AS `mobile_key`,
    `stg_dynamics_lead`.`given_key` AS `given_key`,
    `stg_dynamics_lead`.`given_first_key` AS `given_first_key`,
    `stg_dynamics_lead`.`surname_key` AS `surname_key`,
    `stg_dynamics_lead`.`street_key` AS `street_key`,
    `stg_dynamics_lead`.`house_key` AS `house_key`,
    `stg_dynamics_lead`.`city_key` AS `city_key`,
    `stg_dynamics_lead`.`postcode_key` AS `postcode_key`
  FROM `staging`.`stg_dynamics_lead` AS `stg_dynamics_lead`
), `given_names` AS (
  SELECT
    `every_record`.`given_key` AS `given_key`,
    COUNT(DISTINCT `every_record`.`surname_key`) AS `surnames`
  FROM `every_record` AS `every_record`
  WHERE
    NOT `every_record`.`given_key` IS NULL
  GROUP BY
    `every_record`.`given_key`
)
SELECT
  ROW_NUMBER() OVER (ORDER BY `every_record`.`record_key` NULLS LAST) AS `record_no`,
  `every_record`.`record_key` AS `record_key`,
  `every_record`.`account` AS `account`,
  `every_record`.`object` AS `object`,
  `every_record`.`record_id` AS `record_id`,
  `every_record`.`converted_to_id` AS `converted_to_id`,
  `every_record`.`is_read_only` AS `is_read_only`,
  `every_record`.`salutation` AS `salutation`,
  `every_record`.`first_name` AS `first_name`,
  `every_record`.`last_name` AS `last_name`,
  `every_record`.`email` AS `email`,
  `every_record`.`phone` AS `phone`,
  `every_record`.`mobile_phone` AS `mobile_phone`,
  `every_record`.`street` AS `street`,
  `every_record`.`city` AS `city`,
  `every_record`.`state` AS `state`,
  `every_record`.`postal_code` AS `postal_code`,
  `every_record`.`country` AS `country`,
  `every_record`.`company` AS `company`,
  `every_record`.`job_title` AS `job_title`,
  `every_record`.`birth_date` AS `birth_date`,
  `every_record`.`opted_out` AS `opted_out`,
  `every_record`.`do_not_call` AS `do_not_call`,
  `every_record`.`member_number` AS `member_number`,
  `every_record`.`created_at` AS `created_at`,
  `every_record`.`modified_at` AS `modified_at`,
  `every_record`.`content_changed_at` AS `content_changed_at`,
  `every_record`.`email_changed_at` AS `email_changed_at`,
  `every_record`.`first_seen_at` AS `first_seen_at`,
  `every_record`.`seen_at` AS `seen_at`,
  `every_record`.`email_key` AS `email_key`,
  `every_record`.`phone_key` AS `phone_key`,
  `every_record`.`mobile_key` AS `mobile_key`,
  `every_record`.`given_key` AS `given_key`,
  `every_record`.`given_first_key` AS `given_first_key`,
  `every_record`.`surname_key` AS `surname_key`,
  `every_record`.`street_key` AS `street_key`,
  `every_record`.`house_key` AS `house_key`,
  `every_record`.`city_key` AS `city_key`,
  `every_record`.`postcode_key` AS `postcode_key`,
  NULLIF(
    TRIM(BOTH '                　' FROM REGEXP_REPLACE(
      REGEXP_REPLACE(
        ' ' || `every_record`.`street_key` || ' ',
        ' ([0-9]+[a-z]?|st|rd|ave|lane|place|court|close|drive|crescent|circuit|way|square|boulevard|blvd|platz|weg|allee|rue|place|impasse|chemin|allee|calle|avenida|plaza|paseo|camino|ul|al|os|via|piazza|corso|ulica|the|de|la|le|les|du|des|del|der|den|dem|am|im|an|zum|zur)( ([0-9]+[a-z]?|st|rd|ave|lane|place|rue|de|la|le|les|du|des|del|der|the))* ',
        ' '
      ),
      ' +',
      ' '
    )),
    ''
  ) AS `road_key`,
  SUBSTRING(
    SUBSTRING(`every_record`.`given_key`, 1, 1) || REPLACE(
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
                                    SUBSTRING(`every_record`.`given_key`, 2),
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
  ) AS `given_sound`,
  SUBSTRING(
    SUBSTRING(`every_record`.`surname_key`, 1, 1) || REPLACE(
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
                                    SUBSTRING(`every_record`.`surname_key`, 2),
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
  ) AS `surname_sound`,
  COALESCE(`given_names`.`surnames`, 0) AS `given_surnames`
FROM `every_record` AS `every_record`
LEFT JOIN `given_names` AS `given_names`
  ON `every_record`.`given_key` = `given_names`.`given_key`;

-- candidates
WITH `sounds` AS (
  SELECT
    `records`.`record_no` AS `record_no`,
    `records`.`email_key` AS `email_key`,
    `records`.`given_key` AS `given_key`,
    `records`.`surname_key` AS `surname_key`,
    `records`.`given_sound` AS `given_sound`,
    `records`.`surname_sound` AS `surname_sound`,
    `records`.`phone_key` AS `phone_key`,
    `records`.`mobile_key` AS `mobile_key`,
    CASE
      WHEN `records`.`given_sound` < `records`.`surname_sound`
      THEN `records`.`given_sound` || `records`.`surname_sound`
      ELSE `records`.`surname_sound` || `records`.`given_sound`
    END AS `both_sounds`,
    DATE_FORMAT(`records`.`birth_date`, 'yyyyMMdd') AS `birth`,
    SUBSTRING(DATE_FORMAT(`records`.`birth_date`, 'yyyyMMdd'), 1, 4) AS `birth_year`,
    SUBSTRING(DATE_FORMAT(`records`.`birth_date`, 'yyyyMMdd'), 5, 4) AS `birth_day`,
    `records`.`postcode_key` AS `postcode_key`,
    `records`.`house_key` AS `house_key`,
    SUBSTRING(`records`.`city_key`, 1, 5) AS `city_start`,
    SUBSTRING(`records`.`street_key`, 1, 5) AS `street_start`
  FROM `matching`.`records` AS `records`
), `keyed` AS (
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'email|' || `sounds`.`email_key` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'email name|' || `sounds`.`email_key` || '|' || `sounds`.`given_key` || '|' || `sounds`.`surname_key` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'phone|' || `sounds`.`phone_key` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'phone|' || `sounds`.`mobile_key` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'phone name|' || `sounds`.`phone_key` || '|' || `sounds`.`both_sounds` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'phone name|' || `sounds`.`mobile_key` || '|' || `sounds`.`both_sounds` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'birth name|' || `sounds`.`birth` || '|' || `sounds`.`given_sound` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'birth name|' || `sounds`.`birth` || '|' || `sounds`.`surname_sound` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'birth place|' || `sounds`.`birth` || '|' || `sounds`.`postcode_key` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'birth house|' || `sounds`.`birth` || '|' || `sounds`.`house_key` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'birth city|' || `sounds`.`birth` || '|' || `sounds`.`city_start` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'names year|' || `sounds`.`both_sounds` || '|' || `sounds`.`birth_year` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'names day|' || `sounds`.`both_sounds` || '|' || `sounds`.`birth_day` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'names place|' || `sounds`.`both_sounds` || '|' || `sounds`.`postcode_key` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'names city|' || `sounds`.`both_sounds` || '|' || `sounds`.`city_start` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'names house|' || `sounds`.`both_sounds` || '|' || `sounds`.`house_key` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'name house|' || `sounds`.`given_sound` || '|' || `sounds`.`postcode_key` || '|' || `sounds`.`house_key` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'name house|' || `sounds`.`surname_sound` || '|' || `sounds`.`postcode_key` || '|' || `sounds`.`house_key` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'name street|' || `sounds`.`given_sound` || '|' || `sounds`.`postcode_key` || '|' || `sounds`.`street_start` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'name street|' || `sounds`.`surname_sound` || '|' || `sounds`.`postcode_key` || '|' || `sounds`.`street_start` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'name door|' || `sounds`.`given_sound` || '|' || `sounds`.`street_start` || '|' || `sounds`.`house_key` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'name door|' || `sounds`.`surname_sound` || '|' || `sounds`.`street_start` || '|' || `sounds`.`house_key` AS `block_key`
  FROM `sounds` AS `sounds`
  UNION ALL
  SELECT
    `sounds`.`record_no` AS `record_no`,
    'door|' || `sounds`.`postcode_key` || '|' || `sounds`.`house_key` || '|' || `sounds`.`street_start` AS `block_key`
  FROM `sounds` AS `sounds`
), `placed` AS (
  SELECT DISTINCT
    `keyed`.`record_no` AS `record_no`,
    `keyed`.`block_key` AS `block_key`
  FROM `keyed` AS `keyed`
  WHERE
    NOT `keyed`.`block_key` IS NULL
), `blocks` AS (
  SELECT
    `placed`.`block_key` AS `block_key`
  FROM `placed` AS `placed`
  GROUP BY
    `placed`.`block_key`
  HAVING
    COUNT(*) BETWEEN 2 AND 100
), `bounded` AS (
  SELECT
    `placed`.`record_no` AS `record_no`,
    `placed`.`block_key` AS `block_key`
  FROM `placed` AS `placed`
  INNER JOIN `blocks` AS `blocks`
    ON `placed`.`block_key` = `blocks`.`block_key`
)
SELECT
  `a`.`record_no` AS `record_a`,
  `b`.`record_no` AS `record_b`
FROM `bounded` AS `a`
INNER JOIN `bounded` AS `b`
  ON `a`.`block_key` = `b`.`block_key` AND `a`.`record_no` < `b`.`record_no`
UNION
SELECT
  LEAST(`leads`.`record_no`, `contacts`.`record_no`) AS `_col_0`,
  GREATEST(`leads`.`record_no`, `contacts`.`record_no`) AS `_col_1`
FROM `matching`.`records` AS `leads`
INNER JOIN `matching`.`records` AS `contacts`
  ON `leads`.`account` = `contacts`.`account`
  AND `leads`.`converted_to_id` = `contacts`.`record_id`;

-- mailboxes
WITH `holders` AS (
  SELECT
    `records`.`email_key` AS `email_key`,
    `records`.`given_key` AS `given_key`,
    `records`.`given_first_key` AS `given_first_key`,
    `records`.`surname_key` AS `surname_key`,
    `records`.`birth_date` AS `birth_date`,
    MAX(`records`.`given_surnames`) AS `given_surnames`,
    COUNT(*) AS `records`
  FROM `matching`.`records` AS `records`
  WHERE
    NOT `records`.`email_key` IS NULL
  GROUP BY
    `records`.`email_key`,
    `records`.`given_key`,
    `records`.`given_first_key`,
    `records`.`surname_key`,
    `records`.`birth_date`
), `counted` AS (
  SELECT
    `holders`.`email_key` AS `email_key`,
    SUM(`holders`.`records`) AS `records`,
    COUNT(
      DISTINCT COALESCE(`holders`.`given_key`, '') || ' ' || COALESCE(`holders`.`surname_key`, '')
    ) AS `names`
  FROM `holders` AS `holders`
  GROUP BY
    `holders`.`email_key`
), `contradicting` AS (
  SELECT DISTINCT
    `a`.`email_key` AS `email_key`
  FROM `holders` AS `a`
  INNER JOIN `holders` AS `b`
    ON `a`.`email_key` = `b`.`email_key`
  INNER JOIN `counted` AS `counted`
    ON `a`.`email_key` = `counted`.`email_key`
  WHERE
    `counted`.`names` <= 20
    AND (
      CASE
        WHEN `a`.`birth_date` IS NULL OR `b`.`birth_date` IS NULL
        THEN NULL
        WHEN `a`.`birth_date` = `b`.`birth_date`
        THEN 'same'
        WHEN EXTRACT(YEAR FROM `a`.`birth_date`) = EXTRACT(YEAR FROM `b`.`birth_date`)
        AND EXTRACT(MONTH FROM `a`.`birth_date`) = EXTRACT(DAY FROM `b`.`birth_date`)
        AND EXTRACT(DAY FROM `a`.`birth_date`) = EXTRACT(MONTH FROM `b`.`birth_date`)
        THEN 'near'
        WHEN `backhaul`.damerau_levenshtein(
          DATE_FORMAT(`a`.`birth_date`, 'yyyyMMdd'),
          DATE_FORMAT(`b`.`birth_date`, 'yyyyMMdd')
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
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          )
          THEN 'same'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            )
          )
          AND LEAST(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
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
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ) - LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
            AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
          )
          THEN 'near'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            )
          )
          OR `a`.`given_first_key` = `b`.`given_first_key`
          THEN 'initial'
          WHEN `backhaul`.jaro_winkler_similarity(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST(
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` = `b`.`surname_key`
                    THEN `a`.`surname_key`
                    ELSE `a`.`given_key`
                  END
                )
              ),
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` <> `b`.`surname_key`
                    THEN `b`.`surname_key`
                    ELSE `b`.`given_key`
                  END
                )
              )
            ) >= 4
            AND (
              `backhaul`.jaro_winkler_similarity(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` = `b`.`surname_key`
                    THEN `a`.`surname_key`
                    ELSE `a`.`given_key`
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` <> `b`.`surname_key`
                    THEN `b`.`surname_key`
                    ELSE `b`.`given_key`
                  END
                )
              ) >= 0.919999999
              OR (
                `backhaul`.jaro_winkler_similarity(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` = `b`.`surname_key`
                      THEN `a`.`surname_key`
                      ELSE `a`.`given_key`
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` <> `b`.`surname_key`
                      THEN `b`.`surname_key`
                      ELSE `b`.`given_key`
                    END
                  )
                ) >= 0.7
                AND `backhaul`.damerau_levenshtein(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` = `b`.`surname_key`
                      THEN `a`.`surname_key`
                      ELSE `a`.`given_key`
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` <> `b`.`surname_key`
                      THEN `b`.`surname_key`
                      ELSE `b`.`given_key`
                    END
                  )
                ) <= CASE
                  WHEN LEAST(
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                            )
                            AND `a`.`given_key` <> `b`.`given_key`
                            AND `a`.`surname_key` <> `b`.`surname_key`,
                            FALSE
                          )
                          AND `a`.`given_key` = `b`.`surname_key`
                          THEN `a`.`surname_key`
                          ELSE `a`.`given_key`
                        END
                      )
                    ),
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                            )
                            AND `a`.`given_key` <> `b`.`given_key`
                            AND `a`.`surname_key` <> `b`.`surname_key`,
                            FALSE
                          )
                          AND `a`.`given_key` <> `b`.`surname_key`
                          THEN `b`.`surname_key`
                          ELSE `b`.`given_key`
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
              LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
              AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
            AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
          )
          AND LEAST(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
          ) >= 5
          AND `backhaul`.damerau_levenshtein(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) <= 2
          THEN 'near'
          WHEN `backhaul`.jaro_winkler_similarity(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) >= 0.799999999
          THEN 'loose'
          ELSE 'different'
        END IN ('different', 'loose')
        AND CASE
          WHEN `a`.`birth_date` IS NULL OR `b`.`birth_date` IS NULL
          THEN NULL
          WHEN `a`.`birth_date` = `b`.`birth_date`
          THEN 'same'
          WHEN EXTRACT(YEAR FROM `a`.`birth_date`) = EXTRACT(YEAR FROM `b`.`birth_date`)
          AND EXTRACT(MONTH FROM `a`.`birth_date`) = EXTRACT(DAY FROM `b`.`birth_date`)
          AND EXTRACT(DAY FROM `a`.`birth_date`) = EXTRACT(MONTH FROM `b`.`birth_date`)
          THEN 'near'
          WHEN `backhaul`.damerau_levenshtein(
            DATE_FORMAT(`a`.`birth_date`, 'yyyyMMdd'),
            DATE_FORMAT(`b`.`birth_date`, 'yyyyMMdd')
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
                `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
              )
              AND `a`.`given_key` <> `b`.`given_key`
              AND `a`.`surname_key` <> `b`.`surname_key`,
              FALSE
            )
            AND `a`.`given_key` = `b`.`surname_key`
            THEN `a`.`surname_key`
            ELSE `a`.`given_key`
          END
        ) IS NULL
        OR (
          CASE
            WHEN COALESCE(
              (
                `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
              )
              AND `a`.`given_key` <> `b`.`given_key`
              AND `a`.`surname_key` <> `b`.`surname_key`,
              FALSE
            )
            AND `a`.`given_key` <> `b`.`surname_key`
            THEN `b`.`surname_key`
            ELSE `b`.`given_key`
          END
        ) IS NULL
        THEN NULL
        WHEN (
          CASE
            WHEN COALESCE(
              (
                `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
              )
              AND `a`.`given_key` <> `b`.`given_key`
              AND `a`.`surname_key` <> `b`.`surname_key`,
              FALSE
            )
            AND `a`.`given_key` = `b`.`surname_key`
            THEN `a`.`surname_key`
            ELSE `a`.`given_key`
          END
        ) = (
          CASE
            WHEN COALESCE(
              (
                `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
              )
              AND `a`.`given_key` <> `b`.`given_key`
              AND `a`.`surname_key` <> `b`.`surname_key`,
              FALSE
            )
            AND `a`.`given_key` <> `b`.`surname_key`
            THEN `b`.`surname_key`
            ELSE `b`.`given_key`
          END
        )
        THEN 'same'
        WHEN (
          STARTSWITH(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          )
          OR STARTSWITH(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            )
          )
        )
        AND LEAST(
          LENGTH(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            )
          ),
          LENGTH(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
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
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            )
          ) - LENGTH(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          )
        ) = 1
        AND NOT (
          LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
          AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
        )
        THEN 'near'
        WHEN (
          STARTSWITH(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          )
          OR STARTSWITH(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            )
          )
        )
        OR `a`.`given_first_key` = `b`.`given_first_key`
        THEN 'initial'
        WHEN `backhaul`.jaro_winkler_similarity(
          (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ),
          (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          )
        ) < 0.7
        THEN 'different'
        WHEN (
          LEAST(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
          ) >= 4
          AND (
            `backhaul`.jaro_winkler_similarity(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            ) >= 0.919999999
            OR (
              `backhaul`.jaro_winkler_similarity(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` = `b`.`surname_key`
                    THEN `a`.`surname_key`
                    ELSE `a`.`given_key`
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` <> `b`.`surname_key`
                    THEN `b`.`surname_key`
                    ELSE `b`.`given_key`
                  END
                )
              ) >= 0.7
              AND `backhaul`.damerau_levenshtein(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` = `b`.`surname_key`
                    THEN `a`.`surname_key`
                    ELSE `a`.`given_key`
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` <> `b`.`surname_key`
                    THEN `b`.`surname_key`
                    ELSE `b`.`given_key`
                  END
                )
              ) <= CASE
                WHEN LEAST(
                  LENGTH(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                          )
                          AND `a`.`given_key` <> `b`.`given_key`
                          AND `a`.`surname_key` <> `b`.`surname_key`,
                          FALSE
                        )
                        AND `a`.`given_key` = `b`.`surname_key`
                        THEN `a`.`surname_key`
                        ELSE `a`.`given_key`
                      END
                    )
                  ),
                  LENGTH(
                    (
                      CASE
                        WHEN COALESCE(
                          (
                            `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                          )
                          AND `a`.`given_key` <> `b`.`given_key`
                          AND `a`.`surname_key` <> `b`.`surname_key`,
                          FALSE
                        )
                        AND `a`.`given_key` <> `b`.`surname_key`
                        THEN `b`.`surname_key`
                        ELSE `b`.`given_key`
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
            LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
            AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
          )
          THEN 'loose'
          ELSE 'near'
        END
        WHEN NOT (
          LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
          AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
        )
        AND LEAST(
          LENGTH(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            )
          ),
          LENGTH(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          )
        ) >= 5
        AND `backhaul`.damerau_levenshtein(
          (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ),
          (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          )
        ) <= 2
        THEN 'near'
        WHEN `backhaul`.jaro_winkler_similarity(
          (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ),
          (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          )
        ) >= 0.799999999
        THEN 'loose'
        ELSE 'different'
      END = 'different'
    )
)
SELECT
  `counted`.`email_key` AS `email_key`,
  `counted`.`records` AS `records`,
  `counted`.`names` AS `names`,
  `counted`.`names` > 20 AS `is_stand_in`,
  `counted`.`names` > 20
  OR NOT `contradicting`.`email_key` IS NULL
  OR REGEXP_LIKE(
    `counted`.`email_key`,
    '^(info|office|contact|kontakt|contacto|kontor|biuro|buero|bureau|sales|vertrieb|service|support|help|hello|hallo|team|admin|mail|post|marketing|accounts?|billing|empfang|reception|sekretariat|secretary|noreply|no-reply|none|test|unknown|familie|family)([._-][a-z0-9]+)?@'
  ) AS `is_shared`
FROM `counted` AS `counted`
LEFT JOIN `contradicting` AS `contradicting`
  ON `counted`.`email_key` = `contradicting`.`email_key`;

-- pairs
WITH `oriented` AS (
  SELECT
    `candidates`.`record_a` AS `record_a`,
    `candidates`.`record_b` AS `record_b`,
    COALESCE(
      (
        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
      )
      AND `a`.`given_key` <> `b`.`given_key`
      AND `a`.`surname_key` <> `b`.`surname_key`,
      FALSE
    ) AS `is_swapped`,
    CASE
      WHEN COALESCE(
        (
          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
        )
        AND `a`.`given_key` <> `b`.`given_key`
        AND `a`.`surname_key` <> `b`.`surname_key`,
        FALSE
      )
      AND `a`.`given_key` = `b`.`surname_key`
      THEN `a`.`surname_key`
      ELSE `a`.`given_key`
    END AS `given_one`,
    CASE
      WHEN COALESCE(
        (
          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
        )
        AND `a`.`given_key` <> `b`.`given_key`
        AND `a`.`surname_key` <> `b`.`surname_key`,
        FALSE
      )
      AND `a`.`given_key` <> `b`.`surname_key`
      THEN `b`.`surname_key`
      ELSE `b`.`given_key`
    END AS `given_other`,
    COALESCE(
      (
        LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
        AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
      ),
      FALSE
    ) AS `are_two_names`,
    COALESCE(`a`.`given_first_key` = `b`.`given_first_key`, FALSE) AS `have_first_word`
  FROM `matching`.`candidates` AS `candidates`
  INNER JOIN `matching`.`records` AS `a`
    ON `candidates`.`record_a` = `a`.`record_no`
  INNER JOIN `matching`.`records` AS `b`
    ON `candidates`.`record_b` = `b`.`record_no`
), `compared` AS (
  SELECT
    `oriented`.`record_a` AS `record_a`,
    `oriented`.`record_b` AS `record_b`,
    `oriented`.`is_swapped` AS `is_swapped`,
    `oriented`.`are_two_names` AS `are_two_names`,
    CASE
      WHEN `oriented`.`given_one` IS NULL OR `oriented`.`given_other` IS NULL
      THEN NULL
      WHEN `oriented`.`given_one` = `oriented`.`given_other`
      THEN 'same'
      WHEN (
        STARTSWITH(`oriented`.`given_one`, `oriented`.`given_other`)
        OR STARTSWITH(`oriented`.`given_other`, `oriented`.`given_one`)
      )
      AND LEAST(LENGTH(`oriented`.`given_one`), LENGTH(`oriented`.`given_other`)) >= 3
      AND ABS(LENGTH(`oriented`.`given_one`) - LENGTH(`oriented`.`given_other`)) = 1
      AND NOT `oriented`.`are_two_names`
      THEN 'near'
      WHEN (
        STARTSWITH(`oriented`.`given_one`, `oriented`.`given_other`)
        OR STARTSWITH(`oriented`.`given_other`, `oriented`.`given_one`)
      )
      OR `oriented`.`have_first_word`
      THEN 'initial'
      WHEN `backhaul`.jaro_winkler_similarity(`oriented`.`given_one`, `oriented`.`given_other`) < 0.7
      THEN 'different'
      WHEN (
        LEAST(LENGTH(`oriented`.`given_one`), LENGTH(`oriented`.`given_other`)) >= 4
        AND (
          `backhaul`.jaro_winkler_similarity(`oriented`.`given_one`, `oriented`.`given_other`) >= 0.919999999
          OR (
            `backhaul`.jaro_winkler_similarity(`oriented`.`given_one`, `oriented`.`given_other`) >= 0.7
            AND `backhaul`.damerau_levenshtein(`oriented`.`given_one`, `oriented`.`given_other`) <= CASE
              WHEN LEAST(LENGTH(`oriented`.`given_one`), LENGTH(`oriented`.`given_other`)) >= 8
              THEN 2
              ELSE 1
            END
          )
        )
      )
      THEN CASE WHEN `oriented`.`are_two_names` THEN 'loose' ELSE 'near' END
      WHEN NOT `oriented`.`are_two_names`
      AND LEAST(LENGTH(`oriented`.`given_one`), LENGTH(`oriented`.`given_other`)) >= 5
      AND `backhaul`.damerau_levenshtein(`oriented`.`given_one`, `oriented`.`given_other`) <= 2
      THEN 'near'
      WHEN `backhaul`.jaro_winkler_similarity(`oriented`.`given_one`, `oriented`.`given_other`) >= 0.799999999
      THEN 'loose'
      ELSE 'different'
    END AS `given_level`,
    CASE
      WHEN `a`.`birth_date` IS NULL OR `b`.`birth_date` IS NULL
      THEN NULL
      WHEN `a`.`birth_date` = `b`.`birth_date`
      THEN 'same'
      WHEN EXTRACT(YEAR FROM `a`.`birth_date`) = EXTRACT(YEAR FROM `b`.`birth_date`)
      AND EXTRACT(MONTH FROM `a`.`birth_date`) = EXTRACT(DAY FROM `b`.`birth_date`)
      AND EXTRACT(DAY FROM `a`.`birth_date`) = EXTRACT(MONTH FROM `b`.`birth_date`)
      THEN 'near'
      WHEN `backhaul`.damerau_levenshtein(
        DATE_FORMAT(`a`.`birth_date`, 'yyyyMMdd'),
        DATE_FORMAT(`b`.`birth_date`, 'yyyyMMdd')
      ) = 1
      THEN 'near'
      ELSE 'different'
    END AS `birth_level`,
    CASE
      WHEN `a`.`surname_key` IS NULL OR `b`.`surname_key` IS NULL
      THEN NULL
      WHEN `a`.`surname_key` = `b`.`surname_key`
      OR COALESCE(
        (
          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
        )
        AND `a`.`given_key` <> `b`.`given_key`
        AND `a`.`surname_key` <> `b`.`surname_key`,
        FALSE
      )
      THEN 'same'
      WHEN (
        STARTSWITH(`a`.`surname_key`, `b`.`surname_key`)
        OR STARTSWITH(`b`.`surname_key`, `a`.`surname_key`)
      )
      THEN CASE
        WHEN (
          LEAST(LENGTH(`a`.`surname_key`), LENGTH(`b`.`surname_key`)) >= 4
          AND (
            `backhaul`.jaro_winkler_similarity(`a`.`surname_key`, `b`.`surname_key`) >= 0.919999999
            OR (
              `backhaul`.jaro_winkler_similarity(`a`.`surname_key`, `b`.`surname_key`) >= 0.7
              AND `backhaul`.damerau_levenshtein(`a`.`surname_key`, `b`.`surname_key`) <= CASE
                WHEN LEAST(LENGTH(`a`.`surname_key`), LENGTH(`b`.`surname_key`)) >= 8
                THEN 2
                ELSE 1
              END
            )
          )
        )
        THEN 'near'
        ELSE 'loose'
      END
      WHEN `backhaul`.jaro_winkler_similarity(`a`.`surname_key`, `b`.`surname_key`) < 0.7
      THEN 'different'
      WHEN (
        LEAST(LENGTH(`a`.`surname_key`), LENGTH(`b`.`surname_key`)) >= 4
        AND (
          `backhaul`.jaro_winkler_similarity(`a`.`surname_key`, `b`.`surname_key`) >= 0.919999999
          OR (
            `backhaul`.jaro_winkler_similarity(`a`.`surname_key`, `b`.`surname_key`) >= 0.7
            AND `backhaul`.damerau_levenshtein(`a`.`surname_key`, `b`.`surname_key`) <= CASE
              WHEN LEAST(LENGTH(`a`.`surname_key`), LENGTH(`b`.`surname_key`)) >= 8
              THEN 2
              ELSE 1
            END
          )
        )
      )
      THEN 'near'
      WHEN `backhaul`.jaro_winkler_similarity(`a`.`surname_key`, `b`.`surname_key`) >= 0.849999999
      THEN 'loose'
      ELSE 'different'
    END AS `surname_level`,
    CASE
      WHEN `a`.`email_key` IS NULL OR `b`.`email_key` IS NULL
      THEN NULL
      WHEN `a`.`email_key` = `b`.`email_key`
      THEN CASE WHEN `mailboxes`.`is_stand_in` THEN NULL ELSE 'same' END
      WHEN ABS(LENGTH(`a`.`email_key`) - LENGTH(`b`.`email_key`)) > 1
      THEN 'different'
      WHEN NOT `backhaul`.jaro_winkler_similarity(`a`.`email_key`, `b`.`email_key`) >= 0.899999999
      THEN 'different'
      WHEN `backhaul`.damerau_levenshtein(`a`.`email_key`, `b`.`email_key`) = 1
      THEN 'near'
      ELSE 'different'
    END AS `email_level`,
    COALESCE(`a`.`email_key` = `b`.`email_key` AND `mailboxes`.`is_shared`, FALSE) AS `mailbox_is_shared`,
    CASE
      WHEN COALESCE(`a`.`phone_key`, `a`.`mobile_key`) IS NULL
      OR COALESCE(`b`.`phone_key`, `b`.`mobile_key`) IS NULL
      THEN NULL
      WHEN COALESCE(`a`.`phone_key` = `b`.`phone_key`, FALSE)
      OR COALESCE(`a`.`phone_key` = `b`.`mobile_key`, FALSE)
      OR COALESCE(`a`.`mobile_key` = `b`.`phone_key`, FALSE)
      OR COALESCE(`a`.`mobile_key` = `b`.`mobile_key`, FALSE)
      THEN 'same'
      WHEN ABS(LENGTH(`a`.`phone_key`) - LENGTH(`b`.`phone_key`)) > 1
      THEN 'different'
      WHEN NOT `backhaul`.jaro_winkler_similarity(`a`.`phone_key`, `b`.`phone_key`) >= 0.799999999
      THEN 'different'
      WHEN LENGTH(`a`.`phone_key`) >= 7
      AND `backhaul`.damerau_levenshtein(`a`.`phone_key`, `b`.`phone_key`) = 1
      THEN 'near'
      ELSE 'different'
    END AS `phone_level`,
    ABS(EXTRACT(YEAR FROM `a`.`birth_date`) - EXTRACT(YEAR FROM `b`.`birth_date`)) AS `years_apart`,
    COALESCE(
      `a`.`account` = `b`.`account`
      AND (
        `a`.`converted_to_id` = `b`.`record_id`
        OR `b`.`converted_to_id` = `a`.`record_id`
      ),
      FALSE
    ) AS `is_converted`
  FROM `oriented` AS `oriented`
  INNER JOIN `matching`.`records` AS `a`
    ON `oriented`.`record_a` = `a`.`record_no`
  INNER JOIN `matching`.`records` AS `b`
    ON `oriented`.`record_b` = `b`.`record_no`
  LEFT JOIN `matching`.`mailboxes` AS `mailboxes`
    ON `a`.`email_key` = `mailboxes`.`email_key`
), `hopeful` AS (
  SELECT
    `compared`.`record_a` AS `record_a`,
    `compared`.`record_b` AS `record_b`,
    `compared`.`given_level` AS `given_level`,
    `compared`.`birth_level` AS `birth_level`,
    `compared`.`surname_level` AS `surname_level`,
    `compared`.`is_swapped` AS `is_swapped`,
    `compared`.`are_two_names` AS `are_two_names`,
    `compared`.`email_level` AS `email_level`,
    `compared`.`mailbox_is_shared` AS `mailbox_is_shared`,
    `compared`.`phone_level` AS `phone_level`,
    `compared`.`years_apart` AS `years_apart`,
    `compared`.`is_converted` AS `is_converted`,
    CASE
      WHEN COALESCE(`a`.`road_key`, `a`.`street_key`) IS NULL
      OR COALESCE(`b`.`road_key`, `b`.`street_key`) IS NULL
      THEN NULL
      WHEN `a`.`street_key` = `b`.`street_key`
      OR `a`.`road_key` = `b`.`road_key`
      OR (
        SIZE(
          ARRAY_INTERSECT(SPLIT(`a`.`road_key`, ' '), COALESCE(SPLIT(`b`.`road_key`, ' '), ARRAY()))
        ) * 1.0 / LEAST(
          SIZE(ARRAY_DISTINCT(SPLIT(`a`.`road_key`, ' '))),
          SIZE(ARRAY_DISTINCT(SPLIT(`b`.`road_key`, ' ')))
        )
      ) >= 0.75
      THEN 'same'
      WHEN (
        SIZE(
          ARRAY_INTERSECT(SPLIT(`a`.`road_key`, ' '), COALESCE(SPLIT(`b`.`road_key`, ' '), ARRAY()))
        ) * 1.0 / LEAST(
          SIZE(ARRAY_DISTINCT(SPLIT(`a`.`road_key`, ' '))),
          SIZE(ARRAY_DISTINCT(SPLIT(`b`.`road_key`, ' ')))
        )
      ) >= 0.5
      OR `backhaul`.jaro_winkler_similarity(`a`.`road_key`, `b`.`road_key`) >= 0.879999999
      THEN 'near'
      ELSE 'different'
    END AS `street_level`,
    CASE
      WHEN `a`.`house_key` IS NULL OR `b`.`house_key` IS NULL
      THEN NULL
      WHEN `a`.`house_key` = `b`.`house_key`
      THEN 'same'
      WHEN GREATEST(LENGTH(`a`.`house_key`), LENGTH(`b`.`house_key`)) >= 2
      AND `backhaul`.damerau_levenshtein(`a`.`house_key`, `b`.`house_key`) = 1
      THEN 'near'
      ELSE 'different'
    END AS `house_level`,
    CASE
      WHEN `a`.`postcode_key` = `b`.`postcode_key` AND `a`.`city_key` = `b`.`city_key`
      THEN 'same'
      WHEN `a`.`postcode_key` = `b`.`postcode_key`
      THEN 'postcode'
      WHEN `a`.`city_key` = `b`.`city_key`
      AND (
        `a`.`postcode_key` IS NULL OR `b`.`postcode_key` IS NULL
      )
      THEN 'town'
      WHEN `backhaul`.damerau_levenshtein(`a`.`postcode_key`, `b`.`postcode_key`) = 1
      THEN 'near'
      WHEN `a`.`city_key` = `b`.`city_key`
      THEN 'district'
      WHEN (
        `a`.`postcode_key` IS NULL OR `b`.`postcode_key` IS NULL
      )
      AND `backhaul`.jaro_winkler_similarity(`a`.`city_key`, `b`.`city_key`) >= 0.879999999
      THEN 'near'
      WHEN `a`.`postcode_key` <> `b`.`postcode_key` OR `a`.`city_key` <> `b`.`city_key`
      THEN 'different'
    END AS `area_level`
  FROM `compared` AS `compared`
  INNER JOIN `matching`.`records` AS `a`
    ON `compared`.`record_a` = `a`.`record_no`
  INNER JOIN `matching`.`records` AS `b`
    ON `compared`.`record_b` = `b`.`record_no`
  WHERE
    `compared`.`is_converted`
    OR COALESCE(`compared`.`given_level`, '') IN ('same', 'near', 'initial', 'loose')
    OR `compared`.`birth_level` IN ('same', 'near')
    OR `compared`.`email_level` = 'same'
), `scored` AS (
  SELECT
    `hopeful`.`record_a` AS `record_a`,
    `hopeful`.`record_b` AS `record_b`,
    `hopeful`.`given_level` AS `given_level`,
    `hopeful`.`birth_level` AS `birth_level`,
    `hopeful`.`surname_level` AS `surname_level`,
    `hopeful`.`is_swapped` AS `is_swapped`,
    `hopeful`.`are_two_names` AS `are_two_names`,
    `hopeful`.`email_level` AS `email_level`,
    `hopeful`.`mailbox_is_shared` AS `mailbox_is_shared`,
    `hopeful`.`phone_level` AS `phone_level`,
    `hopeful`.`years_apart` AS `years_apart`,
    `hopeful`.`is_converted` AS `is_converted`,
    `hopeful`.`street_level` AS `street_level`,
    `hopeful`.`house_level` AS `house_level`,
    `hopeful`.`area_level` AS `area_level`,
    CASE WHEN `hopeful`.`is_swapped` THEN -1 ELSE 0 END + CASE `hopeful`.`given_level`
      WHEN 'same'
      THEN 5
      WHEN 'near'
      THEN 4
      WHEN 'initial'
      THEN 2
      WHEN 'loose'
      THEN 2
      ELSE 0
    END + CASE `hopeful`.`surname_level`
      WHEN 'same'
      THEN 7
      WHEN 'near'
      THEN 5
      WHEN 'loose'
      THEN 2
      WHEN 'different'
      THEN -4
      ELSE 0
    END + CASE `hopeful`.`birth_level`
      WHEN 'same'
      THEN 10
      WHEN 'near'
      THEN 3
      WHEN 'different'
      THEN -8
      ELSE 0
    END + CASE `hopeful`.`street_level`
      WHEN 'same'
      THEN 6
      WHEN 'near'
      THEN 4
      WHEN 'different'
      THEN -2
      ELSE 0
    END + CASE `hopeful`.`house_level`
      WHEN 'same'
      THEN 2
      WHEN 'near'
      THEN CASE WHEN `hopeful`.`birth_level` = 'same' THEN 0 ELSE -4 END
      WHEN 'different'
      THEN CASE WHEN `hopeful`.`birth_level` = 'same' THEN -1 ELSE -5 END
      ELSE 0
    END + CASE `hopeful`.`area_level`
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
    END + CASE `hopeful`.`phone_level`
      WHEN 'same'
      THEN 10
      WHEN 'near'
      THEN 4
      WHEN 'different'
      THEN -1
      ELSE 0
    END + CASE
      WHEN `hopeful`.`mailbox_is_shared`
      THEN 0
      ELSE CASE `hopeful`.`email_level`
        WHEN 'same'
        THEN 10
        WHEN 'near'
        THEN 5
        WHEN 'different'
        THEN -1
        ELSE 0
      END
    END AS `points`,
    COALESCE(`hopeful`.`given_level` = 'same' AND `hopeful`.`surname_level` = 'same', FALSE) AS `is_full_name`,
    COALESCE(
      `hopeful`.`street_level` = 'same'
      AND `hopeful`.`house_level` = 'same'
      AND `hopeful`.`area_level` IN ('same', 'postcode', 'town'),
      FALSE
    ) AS `is_full_address`,
    COALESCE(
      `hopeful`.`given_level` IN ('same', 'near')
      AND `hopeful`.`surname_level` IS DISTINCT FROM 'different',
      FALSE
    )
    OR COALESCE(`hopeful`.`birth_level` IN ('same', 'near'), FALSE)
    OR COALESCE(`hopeful`.`email_level` = 'same' AND NOT `hopeful`.`mailbox_is_shared`, FALSE) AS `has_identity`
  FROM `hopeful` AS `hopeful`
), `judged` AS (
  SELECT
    `scored`.`record_a` AS `record_a`,
    `scored`.`record_b` AS `record_b`,
    `scored`.`given_level` AS `given_level`,
    `scored`.`birth_level` AS `birth_level`,
    `scored`.`surname_level` AS `surname_level`,
    `scored`.`is_swapped` AS `is_swapped`,
    `scored`.`are_two_names` AS `are_two_names`,
    `scored`.`email_level` AS `email_level`,
    `scored`.`mailbox_is_shared` AS `mailbox_is_shared`,
    `scored`.`phone_level` AS `phone_level`,
    `scored`.`years_apart` AS `years_apart`,
    `scored`.`is_converted` AS `is_converted`,
    `scored`.`street_level` AS `street_level`,
    `scored`.`house_level` AS `house_level`,
    `scored`.`area_level` AS `area_level`,
    `scored`.`points` AS `points`,
    `scored`.`is_full_name` AS `is_full_name`,
    `scored`.`is_full_address` AS `is_full_address`,
    `scored`.`has_identity` AS `has_identity`,
    CASE
      WHEN `scored`.`is_converted`
      THEN NULL
      WHEN `scored`.`given_level` = 'different'
      THEN 'given names differ'
      WHEN `scored`.`given_level` = 'loose'
      AND NOT COALESCE(`scored`.`birth_level`, '') IN ('same', 'near')
      THEN 'given names differ'
      WHEN `scored`.`birth_level` = 'different'
      AND NOT (
        `scored`.`is_full_name`
        AND `scored`.`years_apart` < 15
        AND COALESCE(
          `scored`.`is_full_address`
          OR (
            `scored`.`email_level` = 'same' AND `scored`.`phone_level` = 'same'
          ),
          FALSE
        )
      )
      THEN 'birth dates differ'
      WHEN NOT `scored`.`has_identity`
      THEN 'nothing personal agrees'
    END AS `refusal`
  FROM `scored` AS `scored`
)
SELECT
  `a`.`record_key` AS `record_key_a`,
  `b`.`record_key` AS `record_key_b`,
  `judged`.`record_a` AS `record_a`,
  `judged`.`record_b` AS `record_b`,
  `judged`.`points` AS `points`,
  CASE
    WHEN NOT `judged`.`refusal` IS NULL
    THEN NULL
    WHEN `judged`.`is_converted`
    THEN 'converted'
    WHEN `judged`.`email_level` = 'same' AND `judged`.`is_full_name`
    THEN 'email'
    WHEN `judged`.`email_level` = 'same'
    AND NOT `judged`.`mailbox_is_shared`
    AND (
      NOT `judged`.`given_level` IS NULL
      OR COALESCE(`judged`.`surname_level`, 'same') <> 'different'
    )
    THEN 'email'
    WHEN `judged`.`is_full_name` AND `judged`.`phone_level` = 'same'
    THEN 'name_and_phone'
    WHEN `judged`.`is_full_name` AND `judged`.`birth_level` = 'same'
    THEN 'name_and_birth_date'
    WHEN `judged`.`is_full_name` AND `judged`.`is_full_address`
    THEN 'name_and_address'
    WHEN `judged`.`points` >= 18
    THEN 'score'
  END AS `rule`,
  `judged`.`refusal` AS `refusal`,
  `judged`.`refusal` IN ('given names differ', 'birth dates differ')
  AND (
    FALSE
    OR NOT (
      `judged`.`refusal` = 'given names differ' AND `judged`.`are_two_names`
    )
  )
  AND `a`.`account` <> `b`.`account`
  AND COALESCE(`judged`.`email_level`, 'same') IN ('same', 'near')
  AND COALESCE(`judged`.`phone_level`, 'same') IN ('same', 'near')
  AND NOT `judged`.`mailbox_is_shared`
  AND `judged`.`street_level` IN ('same', 'near')
  AND `judged`.`area_level` IN ('same', 'postcode', 'town', 'near')
  AND (
    (
      `judged`.`birth_level` = 'same' AND `judged`.`surname_level` IN ('same', 'near')
    )
    OR (
      `judged`.`birth_level` = 'different'
      AND `judged`.`given_level` IN ('same', 'near')
      AND `judged`.`surname_level` IN ('same', 'near')
      AND COALESCE(`judged`.`house_level`, 'same') = 'same'
    )
  ) AS `is_only_option`,
  `judged`.`given_level` AS `given_level`,
  `judged`.`surname_level` AS `surname_level`,
  `judged`.`is_swapped` AS `is_swapped`,
  `judged`.`birth_level` AS `birth_level`,
  `judged`.`email_level` AS `email_level`,
  `judged`.`mailbox_is_shared` AS `mailbox_is_shared`,
  `judged`.`phone_level` AS `phone_level`,
  `judged`.`street_level` AS `street_level`,
  `judged`.`house_level` AS `house_level`,
  `judged`.`area_level` AS `area_level`
FROM `judged` AS `judged`
INNER JOIN `matching`.`records` AS `a`
  ON `judged`.`record_a` = `a`.`record_no`
INNER JOIN `matching`.`records` AS `b`
  ON `judged`.`record_b` = `b`.`record_no`;

-- links
WITH `agreed` AS (
  SELECT
    `pairs`.`record_a` AS `record_a`,
    `pairs`.`record_b` AS `record_b`,
    `pairs`.`points` AS `points`,
    `pairs`.`rule` AS `rule`
  FROM `matching`.`pairs` AS `pairs`
  WHERE
    NOT `pairs`.`rule` IS NULL
), `options` AS (
  SELECT
    `pairs`.`record_a` AS `record_a`,
    `pairs`.`record_b` AS `record_b`,
    `pairs`.`points` AS `points`
  FROM `matching`.`pairs` AS `pairs`
  WHERE
    `pairs`.`is_only_option` AND TRUE
), `taken` AS (
  SELECT
    `agreed`.`record_a` AS `record_no`
  FROM `agreed` AS `agreed`
  UNION ALL
  SELECT
    `agreed`.`record_b` AS `record_no`
  FROM `agreed` AS `agreed`
  UNION ALL
  SELECT
    `every_option`.`record_no` AS `record_no`
  FROM (
    SELECT
      `options`.`record_a` AS `record_no`
    FROM `options` AS `options`
    UNION ALL
    SELECT
      `options`.`record_b` AS `record_no`
    FROM `options` AS `options`
  ) AS `every_option`
  GROUP BY
    `every_option`.`record_no`
  HAVING
    COUNT(*) > 1
), `accepted` AS (
  SELECT
    `agreed`.`record_a` AS `record_a`,
    `agreed`.`record_b` AS `record_b`,
    `agreed`.`points` AS `points`,
    `agreed`.`rule` AS `rule`
  FROM `agreed` AS `agreed`
  UNION ALL
  SELECT
    `options`.`record_a` AS `record_a`,
    `options`.`record_b` AS `record_b`,
    0 AS `points`,
    'by_exclusion' AS `rule`
  FROM `options` AS `options`
  WHERE
    NOT `options`.`record_a` IN (
      SELECT
        `taken`.`record_no` AS `record_no`
      FROM `taken` AS `taken`
    )
    AND NOT `options`.`record_b` IN (
      SELECT
        `taken`.`record_no` AS `record_no`
      FROM `taken` AS `taken`
    )
), `both_ways` AS (
  SELECT
    `accepted`.`record_a` AS `a`,
    `accepted`.`record_b` AS `b`,
    `accepted`.`points` AS `points`
  FROM `accepted` AS `accepted`
  UNION ALL
  SELECT
    `accepted`.`record_b` AS `a`,
    `accepted`.`record_a` AS `b`,
    `accepted`.`points` AS `points`
  FROM `accepted` AS `accepted`
), `between_two` AS (
  SELECT
    `one`.`a` AS `middle`,
    CASE
      WHEN `one`.`points` < `other`.`points`
      OR (
        `one`.`points` = `other`.`points` AND `one`.`b` > `other`.`b`
      )
      THEN `one`.`b`
      ELSE `other`.`b`
    END AS `weaker`
  FROM `both_ways` AS `one`
  INNER JOIN `both_ways` AS `other`
    ON `one`.`a` = `other`.`a` AND `one`.`b` < `other`.`b`
  INNER JOIN `matching`.`records` AS `a`
    ON `one`.`b` = `a`.`record_no`
  INNER JOIN `matching`.`records` AS `b`
    ON `other`.`b` = `b`.`record_no`
  LEFT JOIN `accepted` AS `accepted`
    ON `one`.`b` = `accepted`.`record_a` AND `other`.`b` = `accepted`.`record_b`
  WHERE
    `accepted`.`record_a` IS NULL
    AND (
      COALESCE(
        CASE
          WHEN `a`.`birth_date` IS NULL OR `b`.`birth_date` IS NULL
          THEN NULL
          WHEN `a`.`birth_date` = `b`.`birth_date`
          THEN 'same'
          WHEN EXTRACT(YEAR FROM `a`.`birth_date`) = EXTRACT(YEAR FROM `b`.`birth_date`)
          AND EXTRACT(MONTH FROM `a`.`birth_date`) = EXTRACT(DAY FROM `b`.`birth_date`)
          AND EXTRACT(DAY FROM `a`.`birth_date`) = EXTRACT(MONTH FROM `b`.`birth_date`)
          THEN 'near'
          WHEN `backhaul`.damerau_levenshtein(
            DATE_FORMAT(`a`.`birth_date`, 'yyyyMMdd'),
            DATE_FORMAT(`b`.`birth_date`, 'yyyyMMdd')
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
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          )
          THEN 'same'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            )
          )
          AND LEAST(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
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
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ) - LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
            AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
          )
          THEN 'near'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            )
          )
          OR `a`.`given_first_key` = `b`.`given_first_key`
          THEN 'initial'
          WHEN `backhaul`.jaro_winkler_similarity(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST(
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` = `b`.`surname_key`
                    THEN `a`.`surname_key`
                    ELSE `a`.`given_key`
                  END
                )
              ),
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` <> `b`.`surname_key`
                    THEN `b`.`surname_key`
                    ELSE `b`.`given_key`
                  END
                )
              )
            ) >= 4
            AND (
              `backhaul`.jaro_winkler_similarity(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` = `b`.`surname_key`
                    THEN `a`.`surname_key`
                    ELSE `a`.`given_key`
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` <> `b`.`surname_key`
                    THEN `b`.`surname_key`
                    ELSE `b`.`given_key`
                  END
                )
              ) >= 0.919999999
              OR (
                `backhaul`.jaro_winkler_similarity(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` = `b`.`surname_key`
                      THEN `a`.`surname_key`
                      ELSE `a`.`given_key`
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` <> `b`.`surname_key`
                      THEN `b`.`surname_key`
                      ELSE `b`.`given_key`
                    END
                  )
                ) >= 0.7
                AND `backhaul`.damerau_levenshtein(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` = `b`.`surname_key`
                      THEN `a`.`surname_key`
                      ELSE `a`.`given_key`
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` <> `b`.`surname_key`
                      THEN `b`.`surname_key`
                      ELSE `b`.`given_key`
                    END
                  )
                ) <= CASE
                  WHEN LEAST(
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                            )
                            AND `a`.`given_key` <> `b`.`given_key`
                            AND `a`.`surname_key` <> `b`.`surname_key`,
                            FALSE
                          )
                          AND `a`.`given_key` = `b`.`surname_key`
                          THEN `a`.`surname_key`
                          ELSE `a`.`given_key`
                        END
                      )
                    ),
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                            )
                            AND `a`.`given_key` <> `b`.`given_key`
                            AND `a`.`surname_key` <> `b`.`surname_key`,
                            FALSE
                          )
                          AND `a`.`given_key` <> `b`.`surname_key`
                          THEN `b`.`surname_key`
                          ELSE `b`.`given_key`
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
              LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
              AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
            AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
          )
          AND LEAST(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
          ) >= 5
          AND `backhaul`.damerau_levenshtein(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) <= 2
          THEN 'near'
          WHEN `backhaul`.jaro_winkler_similarity(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
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
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          )
          THEN 'same'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            )
          )
          AND LEAST(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
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
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ) - LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
            AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
          )
          THEN 'near'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            )
          )
          OR `a`.`given_first_key` = `b`.`given_first_key`
          THEN 'initial'
          WHEN `backhaul`.jaro_winkler_similarity(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST(
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` = `b`.`surname_key`
                    THEN `a`.`surname_key`
                    ELSE `a`.`given_key`
                  END
                )
              ),
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` <> `b`.`surname_key`
                    THEN `b`.`surname_key`
                    ELSE `b`.`given_key`
                  END
                )
              )
            ) >= 4
            AND (
              `backhaul`.jaro_winkler_similarity(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` = `b`.`surname_key`
                    THEN `a`.`surname_key`
                    ELSE `a`.`given_key`
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` <> `b`.`surname_key`
                    THEN `b`.`surname_key`
                    ELSE `b`.`given_key`
                  END
                )
              ) >= 0.919999999
              OR (
                `backhaul`.jaro_winkler_similarity(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` = `b`.`surname_key`
                      THEN `a`.`surname_key`
                      ELSE `a`.`given_key`
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` <> `b`.`surname_key`
                      THEN `b`.`surname_key`
                      ELSE `b`.`given_key`
                    END
                  )
                ) >= 0.7
                AND `backhaul`.damerau_levenshtein(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` = `b`.`surname_key`
                      THEN `a`.`surname_key`
                      ELSE `a`.`given_key`
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` <> `b`.`surname_key`
                      THEN `b`.`surname_key`
                      ELSE `b`.`given_key`
                    END
                  )
                ) <= CASE
                  WHEN LEAST(
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                            )
                            AND `a`.`given_key` <> `b`.`given_key`
                            AND `a`.`surname_key` <> `b`.`surname_key`,
                            FALSE
                          )
                          AND `a`.`given_key` = `b`.`surname_key`
                          THEN `a`.`surname_key`
                          ELSE `a`.`given_key`
                        END
                      )
                    ),
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                            )
                            AND `a`.`given_key` <> `b`.`given_key`
                            AND `a`.`surname_key` <> `b`.`surname_key`,
                            FALSE
                          )
                          AND `a`.`given_key` <> `b`.`surname_key`
                          THEN `b`.`surname_key`
                          ELSE `b`.`given_key`
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
              LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
              AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
            AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
          )
          AND LEAST(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
          ) >= 5
          AND `backhaul`.damerau_levenshtein(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) <= 2
          THEN 'near'
          WHEN `backhaul`.jaro_winkler_similarity(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) >= 0.799999999
          THEN 'loose'
          ELSE 'different'
        END = 'loose'
        AND CASE
          WHEN `a`.`birth_date` IS NULL OR `b`.`birth_date` IS NULL
          THEN NULL
          WHEN `a`.`birth_date` = `b`.`birth_date`
          THEN 'same'
          WHEN EXTRACT(YEAR FROM `a`.`birth_date`) = EXTRACT(YEAR FROM `b`.`birth_date`)
          AND EXTRACT(MONTH FROM `a`.`birth_date`) = EXTRACT(DAY FROM `b`.`birth_date`)
          AND EXTRACT(DAY FROM `a`.`birth_date`) = EXTRACT(MONTH FROM `b`.`birth_date`)
          THEN 'near'
          WHEN `backhaul`.damerau_levenshtein(
            DATE_FORMAT(`a`.`birth_date`, 'yyyyMMdd'),
            DATE_FORMAT(`b`.`birth_date`, 'yyyyMMdd')
          ) = 1
          THEN 'near'
          ELSE 'different'
        END IS DISTINCT FROM 'same',
        FALSE
      )
    )
)
SELECT
  `accepted`.`record_a` AS `record_a`,
  `accepted`.`record_b` AS `record_b`,
  `accepted`.`points` AS `points`,
  `accepted`.`rule` AS `rule`
FROM `accepted` AS `accepted`
LEFT JOIN (
  SELECT DISTINCT
    LEAST(`between_two`.`middle`, `between_two`.`weaker`) AS `record_a`,
    GREATEST(`between_two`.`middle`, `between_two`.`weaker`) AS `record_b`
  FROM `between_two` AS `between_two`
) AS `dropped`
  ON `accepted`.`record_a` = `dropped`.`record_a`
  AND `accepted`.`record_b` = `dropped`.`record_b`
WHERE
  `dropped`.`record_a` IS NULL;

-- groups
WITH RECURSIVE `both_ways` AS (
  SELECT
    `links`.`record_a` AS `a`,
    `links`.`record_b` AS `b`
  FROM `matching`.`links` AS `links`
  UNION ALL
  SELECT
    `links`.`record_b` AS `a`,
    `links`.`record_a` AS `b`
  FROM `matching`.`links` AS `links`
), `labelled` AS (
  SELECT
    `both_ways`.`a` AS `a`,
    `both_ways`.`b` AS `b`,
    `both_ways`.`a` AS `v`
  FROM `both_ways` AS `both_ways`
), `reached` AS (
  SELECT DISTINCT
    `labels`.`a` AS `node`,
    `labels`.`v` AS `label`
  FROM (
    SELECT
      `paired`.`a` AS `a`,
      `paired`.`b` AS `b`,
      MIN(
        CASE
          WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
          THEN `paired`.`m` + 0
          ELSE `paired`.`v`
        END
      ) OVER (PARTITION BY `paired`.`a`) AS `v`
    FROM (
      SELECT
        `known`.`a` AS `a`,
        `known`.`b` AS `b`,
        `known`.`v` AS `v`,
        MIN(`known`.`v`) OVER (
          PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
        ) AS `m`
      FROM (
        SELECT
          `paired`.`a` AS `a`,
          `paired`.`b` AS `b`,
          MIN(
            CASE
              WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
              THEN `paired`.`m` + 0
              ELSE `paired`.`v`
            END
          ) OVER (PARTITION BY `paired`.`a`) AS `v`
        FROM (
          SELECT
            `known`.`a` AS `a`,
            `known`.`b` AS `b`,
            `known`.`v` AS `v`,
            MIN(`known`.`v`) OVER (
              PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
            ) AS `m`
          FROM (
            SELECT
              `paired`.`a` AS `a`,
              `paired`.`b` AS `b`,
              MIN(
                CASE
                  WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                  THEN `paired`.`m` + 0
                  ELSE `paired`.`v`
                END
              ) OVER (PARTITION BY `paired`.`a`) AS `v`
            FROM (
              SELECT
                `known`.`a` AS `a`,
                `known`.`b` AS `b`,
                `known`.`v` AS `v`,
                MIN(`known`.`v`) OVER (
                  PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                ) AS `m`
              FROM (
                SELECT
                  `paired`.`a` AS `a`,
                  `paired`.`b` AS `b`,
                  MIN(
                    CASE
                      WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                      THEN `paired`.`m` + 0
                      ELSE `paired`.`v`
                    END
                  ) OVER (PARTITION BY `paired`.`a`) AS `v`
                FROM (
                  SELECT
                    `known`.`a` AS `a`,
                    `known`.`b` AS `b`,
                    `known`.`v` AS `v`,
                    MIN(`known`.`v`) OVER (
                      PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                    ) AS `m`
                  FROM (
                    SELECT
                      `paired`.`a` AS `a`,
                      `paired`.`b` AS `b`,
                      MIN(
                        CASE
                          WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                          THEN `paired`.`m` + 0
                          ELSE `paired`.`v`
                        END
                      ) OVER (PARTITION BY `paired`.`a`) AS `v`
                    FROM (
                      SELECT
                        `known`.`a` AS `a`,
                        `known`.`b` AS `b`,
                        `known`.`v` AS `v`,
                        MIN(`known`.`v`) OVER (
                          PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                        ) AS `m`
                      FROM (
                        SELECT
                          `paired`.`a` AS `a`,
                          `paired`.`b` AS `b`,
                          MIN(
                            CASE
                              WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                              THEN `paired`.`m` + 0
                              ELSE `paired`.`v`
                            END
                          ) OVER (PARTITION BY `paired`.`a`) AS `v`
                        FROM (
                          SELECT
                            `known`.`a` AS `a`,
                            `known`.`b` AS `b`,
                            `known`.`v` AS `v`,
                            MIN(`known`.`v`) OVER (
                              PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                            ) AS `m`
                          FROM (
                            SELECT
                              `paired`.`a` AS `a`,
                              `paired`.`b` AS `b`,
                              MIN(
                                CASE
                                  WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                                  THEN `paired`.`m` + 0
                                  ELSE `paired`.`v`
                                END
                              ) OVER (PARTITION BY `paired`.`a`) AS `v`
                            FROM (
                              SELECT
                                `known`.`a` AS `a`,
                                `known`.`b` AS `b`,
                                `known`.`v` AS `v`,
                                MIN(`known`.`v`) OVER (
                                  PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                ) AS `m`
                              FROM (
                                SELECT
                                  `paired`.`a` AS `a`,
                                  `paired`.`b` AS `b`,
                                  MIN(
                                    CASE
                                      WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                                      THEN `paired`.`m` + 0
                                      ELSE `paired`.`v`
                                    END
                                  ) OVER (PARTITION BY `paired`.`a`) AS `v`
                                FROM (
                                  SELECT
                                    `known`.`a` AS `a`,
                                    `known`.`b` AS `b`,
                                    `known`.`v` AS `v`,
                                    MIN(`known`.`v`) OVER (
                                      PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                    ) AS `m`
                                  FROM (
                                    SELECT
                                      `paired`.`a` AS `a`,
                                      `paired`.`b` AS `b`,
                                      MIN(
                                        CASE
                                          WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                                          THEN `paired`.`m` + 0
                                          ELSE `paired`.`v`
                                        END
                                      ) OVER (PARTITION BY `paired`.`a`) AS `v`
                                    FROM (
                                      SELECT
                                        `known`.`a` AS `a`,
                                        `known`.`b` AS `b`,
                                        `known`.`v` AS `v`,
                                        MIN(`known`.`v`) OVER (
                                          PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                        ) AS `m`
                                      FROM (
                                        SELECT
                                          `paired`.`a` AS `a`,
                                          `paired`.`b` AS `b`,
                                          MIN(
                                            CASE
                                              WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                                              THEN `paired`.`m` + 0
                                              ELSE `paired`.`v`
                                            END
                                          ) OVER (PARTITION BY `paired`.`a`) AS `v`
                                        FROM (
                                          SELECT
                                            `known`.`a` AS `a`,
                                            `known`.`b` AS `b`,
                                            `known`.`v` AS `v`,
                                            MIN(`known`.`v`) OVER (
                                              PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                            ) AS `m`
                                          FROM (
                                            SELECT
                                              `paired`.`a` AS `a`,
                                              `paired`.`b` AS `b`,
                                              MIN(
                                                CASE
                                                  WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                                                  THEN `paired`.`m` + 0
                                                  ELSE `paired`.`v`
                                                END
                                              ) OVER (PARTITION BY `paired`.`a`) AS `v`
                                            FROM (
                                              SELECT
                                                `known`.`a` AS `a`,
                                                `known`.`b` AS `b`,
                                                `known`.`v` AS `v`,
                                                MIN(`known`.`v`) OVER (
                                                  PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                                ) AS `m`
                                              FROM (
                                                SELECT
                                                  `paired`.`a` AS `a`,
                                                  `paired`.`b` AS `b`,
                                                  MIN(
                                                    CASE
                                                      WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                                                      THEN `paired`.`m` + 0
                                                      ELSE `paired`.`v`
                                                    END
                                                  ) OVER (PARTITION BY `paired`.`a`) AS `v`
                                                FROM (
                                                  SELECT
                                                    `known`.`a` AS `a`,
                                                    `known`.`b` AS `b`,
                                                    `known`.`v` AS `v`,
                                                    MIN(`known`.`v`) OVER (
                                                      PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                                    ) AS `m`
                                                  FROM (
                                                    SELECT
                                                      `labelled`.`a` AS `a`,
                                                      `labelled`.`b` AS `b`,
                                                      `labelled`.`v` AS `v`
                                                    FROM `labelled` AS `labelled`
                                                  ) AS `known`
                                                ) AS `paired`
                                              ) AS `known`
                                            ) AS `paired`
                                          ) AS `known`
                                        ) AS `paired`
                                      ) AS `known`
                                    ) AS `paired`
                                  ) AS `known`
                                ) AS `paired`
                              ) AS `known`
                            ) AS `paired`
                          ) AS `known`
                        ) AS `paired`
                      ) AS `known`
                    ) AS `paired`
                  ) AS `known`
                ) AS `paired`
              ) AS `known`
            ) AS `paired`
          ) AS `known`
        ) AS `paired`
      ) AS `known`
    ) AS `paired`
  ) AS `labels`
), `members` AS (
  SELECT
    `reached`.`node` AS `record_no`,
    MIN(`reached`.`label`) AS `group_no`
  FROM `reached` AS `reached`
  GROUP BY
    `reached`.`node`
), `sizes` AS (
  SELECT
    `members`.`group_no` AS `group_no`,
    COUNT(*) AS `records`
  FROM `members` AS `members`
  GROUP BY
    `members`.`group_no`
), `contradicting` AS (
  SELECT DISTINCT
    `one`.`group_no` AS `group_no`
  FROM `members` AS `one`
  INNER JOIN `members` AS `other`
    ON `one`.`group_no` = `other`.`group_no` AND `one`.`record_no` < `other`.`record_no`
  INNER JOIN `sizes` AS `sizes`
    ON `one`.`group_no` = `sizes`.`group_no`
  INNER JOIN `matching`.`records` AS `a`
    ON `one`.`record_no` = `a`.`record_no`
  INNER JOIN `matching`.`records` AS `b`
    ON `other`.`record_no` = `b`.`record_no`
  LEFT JOIN `matching`.`links` AS `links`
    ON `one`.`record_no` = `links`.`record_a`
    AND `other`.`record_no` = `links`.`record_b`
  WHERE
    `sizes`.`records` > 2
    AND `sizes`.`records` <= 60
    AND `links`.`record_a` IS NULL
    AND (
      COALESCE(
        CASE
          WHEN `a`.`birth_date` IS NULL OR `b`.`birth_date` IS NULL
          THEN NULL
          WHEN `a`.`birth_date` = `b`.`birth_date`
          THEN 'same'
          WHEN EXTRACT(YEAR FROM `a`.`birth_date`) = EXTRACT(YEAR FROM `b`.`birth_date`)
          AND EXTRACT(MONTH FROM `a`.`birth_date`) = EXTRACT(DAY FROM `b`.`birth_date`)
          AND EXTRACT(DAY FROM `a`.`birth_date`) = EXTRACT(MONTH FROM `b`.`birth_date`)
          THEN 'near'
          WHEN `backhaul`.damerau_levenshtein(
            DATE_FORMAT(`a`.`birth_date`, 'yyyyMMdd'),
            DATE_FORMAT(`b`.`birth_date`, 'yyyyMMdd')
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
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          )
          THEN 'same'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            )
          )
          AND LEAST(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
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
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ) - LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
            AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
          )
          THEN 'near'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            )
          )
          OR `a`.`given_first_key` = `b`.`given_first_key`
          THEN 'initial'
          WHEN `backhaul`.jaro_winkler_similarity(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST(
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` = `b`.`surname_key`
                    THEN `a`.`surname_key`
                    ELSE `a`.`given_key`
                  END
                )
              ),
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` <> `b`.`surname_key`
                    THEN `b`.`surname_key`
                    ELSE `b`.`given_key`
                  END
                )
              )
            ) >= 4
            AND (
              `backhaul`.jaro_winkler_similarity(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` = `b`.`surname_key`
                    THEN `a`.`surname_key`
                    ELSE `a`.`given_key`
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` <> `b`.`surname_key`
                    THEN `b`.`surname_key`
                    ELSE `b`.`given_key`
                  END
                )
              ) >= 0.919999999
              OR (
                `backhaul`.jaro_winkler_similarity(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` = `b`.`surname_key`
                      THEN `a`.`surname_key`
                      ELSE `a`.`given_key`
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` <> `b`.`surname_key`
                      THEN `b`.`surname_key`
                      ELSE `b`.`given_key`
                    END
                  )
                ) >= 0.7
                AND `backhaul`.damerau_levenshtein(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` = `b`.`surname_key`
                      THEN `a`.`surname_key`
                      ELSE `a`.`given_key`
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` <> `b`.`surname_key`
                      THEN `b`.`surname_key`
                      ELSE `b`.`given_key`
                    END
                  )
                ) <= CASE
                  WHEN LEAST(
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                            )
                            AND `a`.`given_key` <> `b`.`given_key`
                            AND `a`.`surname_key` <> `b`.`surname_key`,
                            FALSE
                          )
                          AND `a`.`given_key` = `b`.`surname_key`
                          THEN `a`.`surname_key`
                          ELSE `a`.`given_key`
                        END
                      )
                    ),
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                            )
                            AND `a`.`given_key` <> `b`.`given_key`
                            AND `a`.`surname_key` <> `b`.`surname_key`,
                            FALSE
                          )
                          AND `a`.`given_key` <> `b`.`surname_key`
                          THEN `b`.`surname_key`
                          ELSE `b`.`given_key`
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
              LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
              AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
            AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
          )
          AND LEAST(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
          ) >= 5
          AND `backhaul`.damerau_levenshtein(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) <= 2
          THEN 'near'
          WHEN `backhaul`.jaro_winkler_similarity(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
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
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ) IS NULL
          OR (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          ) IS NULL
          THEN NULL
          WHEN (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` = `b`.`surname_key`
              THEN `a`.`surname_key`
              ELSE `a`.`given_key`
            END
          ) = (
            CASE
              WHEN COALESCE(
                (
                  `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                )
                AND `a`.`given_key` <> `b`.`given_key`
                AND `a`.`surname_key` <> `b`.`surname_key`,
                FALSE
              )
              AND `a`.`given_key` <> `b`.`surname_key`
              THEN `b`.`surname_key`
              ELSE `b`.`given_key`
            END
          )
          THEN 'same'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            )
          )
          AND LEAST(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
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
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ) - LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
          ) = 1
          AND NOT (
            LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
            AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
          )
          THEN 'near'
          WHEN (
            STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
            OR STARTSWITH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              ),
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            )
          )
          OR `a`.`given_first_key` = `b`.`given_first_key`
          THEN 'initial'
          WHEN `backhaul`.jaro_winkler_similarity(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) < 0.7
          THEN 'different'
          WHEN (
            LEAST(
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` = `b`.`surname_key`
                    THEN `a`.`surname_key`
                    ELSE `a`.`given_key`
                  END
                )
              ),
              LENGTH(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` <> `b`.`surname_key`
                    THEN `b`.`surname_key`
                    ELSE `b`.`given_key`
                  END
                )
              )
            ) >= 4
            AND (
              `backhaul`.jaro_winkler_similarity(
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` = `b`.`surname_key`
                    THEN `a`.`surname_key`
                    ELSE `a`.`given_key`
                  END
                ),
                (
                  CASE
                    WHEN COALESCE(
                      (
                        `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                      )
                      AND `a`.`given_key` <> `b`.`given_key`
                      AND `a`.`surname_key` <> `b`.`surname_key`,
                      FALSE
                    )
                    AND `a`.`given_key` <> `b`.`surname_key`
                    THEN `b`.`surname_key`
                    ELSE `b`.`given_key`
                  END
                )
              ) >= 0.919999999
              OR (
                `backhaul`.jaro_winkler_similarity(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` = `b`.`surname_key`
                      THEN `a`.`surname_key`
                      ELSE `a`.`given_key`
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` <> `b`.`surname_key`
                      THEN `b`.`surname_key`
                      ELSE `b`.`given_key`
                    END
                  )
                ) >= 0.7
                AND `backhaul`.damerau_levenshtein(
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` = `b`.`surname_key`
                      THEN `a`.`surname_key`
                      ELSE `a`.`given_key`
                    END
                  ),
                  (
                    CASE
                      WHEN COALESCE(
                        (
                          `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                        )
                        AND `a`.`given_key` <> `b`.`given_key`
                        AND `a`.`surname_key` <> `b`.`surname_key`,
                        FALSE
                      )
                      AND `a`.`given_key` <> `b`.`surname_key`
                      THEN `b`.`surname_key`
                      ELSE `b`.`given_key`
                    END
                  )
                ) <= CASE
                  WHEN LEAST(
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                            )
                            AND `a`.`given_key` <> `b`.`given_key`
                            AND `a`.`surname_key` <> `b`.`surname_key`,
                            FALSE
                          )
                          AND `a`.`given_key` = `b`.`surname_key`
                          THEN `a`.`surname_key`
                          ELSE `a`.`given_key`
                        END
                      )
                    ),
                    LENGTH(
                      (
                        CASE
                          WHEN COALESCE(
                            (
                              `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                            )
                            AND `a`.`given_key` <> `b`.`given_key`
                            AND `a`.`surname_key` <> `b`.`surname_key`,
                            FALSE
                          )
                          AND `a`.`given_key` <> `b`.`surname_key`
                          THEN `b`.`surname_key`
                          ELSE `b`.`given_key`
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
              LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
              AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
            )
            THEN 'loose'
            ELSE 'near'
          END
          WHEN NOT (
            LEAST(`a`.`given_surnames`, `b`.`given_surnames`) >= 3
            AND GREATEST(`a`.`given_surnames`, `b`.`given_surnames`) <= 20 * LEAST(`a`.`given_surnames`, `b`.`given_surnames`)
          )
          AND LEAST(
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` = `b`.`surname_key`
                  THEN `a`.`surname_key`
                  ELSE `a`.`given_key`
                END
              )
            ),
            LENGTH(
              (
                CASE
                  WHEN COALESCE(
                    (
                      `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                    )
                    AND `a`.`given_key` <> `b`.`given_key`
                    AND `a`.`surname_key` <> `b`.`surname_key`,
                    FALSE
                  )
                  AND `a`.`given_key` <> `b`.`surname_key`
                  THEN `b`.`surname_key`
                  ELSE `b`.`given_key`
                END
              )
            )
          ) >= 5
          AND `backhaul`.damerau_levenshtein(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) <= 2
          THEN 'near'
          WHEN `backhaul`.jaro_winkler_similarity(
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` = `b`.`surname_key`
                THEN `a`.`surname_key`
                ELSE `a`.`given_key`
              END
            ),
            (
              CASE
                WHEN COALESCE(
                  (
                    `a`.`given_key` = `b`.`surname_key` OR `a`.`surname_key` = `b`.`given_key`
                  )
                  AND `a`.`given_key` <> `b`.`given_key`
                  AND `a`.`surname_key` <> `b`.`surname_key`,
                  FALSE
                )
                AND `a`.`given_key` <> `b`.`surname_key`
                THEN `b`.`surname_key`
                ELSE `b`.`given_key`
              END
            )
          ) >= 0.799999999
          THEN 'loose'
          ELSE 'different'
        END = 'loose'
        AND CASE
          WHEN `a`.`birth_date` IS NULL OR `b`.`birth_date` IS NULL
          THEN NULL
          WHEN `a`.`birth_date` = `b`.`birth_date`
          THEN 'same'
          WHEN EXTRACT(YEAR FROM `a`.`birth_date`) = EXTRACT(YEAR FROM `b`.`birth_date`)
          AND EXTRACT(MONTH FROM `a`.`birth_date`) = EXTRACT(DAY FROM `b`.`birth_date`)
          AND EXTRACT(DAY FROM `a`.`birth_date`) = EXTRACT(MONTH FROM `b`.`birth_date`)
          THEN 'near'
          WHEN `backhaul`.damerau_levenshtein(
            DATE_FORMAT(`a`.`birth_date`, 'yyyyMMdd'),
            DATE_FORMAT(`b`.`birth_date`, 'yyyyMMdd')
          ) = 1
          THEN 'near'
          ELSE 'different'
        END IS DISTINCT FROM 'same',
        FALSE
      )
    )
  UNION
  SELECT
    `one`.`group_no` AS `group_no`
  FROM `both_ways` AS `both_ways`
  INNER JOIN `members` AS `one`
    ON `both_ways`.`a` = `one`.`record_no`
  INNER JOIN `members` AS `other`
    ON `both_ways`.`b` = `other`.`record_no`
  WHERE
    `one`.`group_no` <> `other`.`group_no`
)
SELECT
  `members`.`record_no` AS `record_no`,
  `members`.`group_no` AS `group_no`,
  `sizes`.`records` AS `records`,
  NOT `contradicting`.`group_no` IS NULL OR `sizes`.`records` > 60 AS `is_contested`
FROM `members` AS `members`
INNER JOIN `sizes` AS `sizes`
  ON `members`.`group_no` = `sizes`.`group_no`
LEFT JOIN `contradicting` AS `contradicting`
  ON `members`.`group_no` = `contradicting`.`group_no`;

-- clusters
WITH RECURSIVE `kept` AS (
  SELECT
    `links`.`record_a` AS `record_a`,
    `links`.`record_b` AS `record_b`
  FROM `matching`.`links` AS `links`
  INNER JOIN `matching`.`groups` AS `joined`
    ON `links`.`record_a` = `joined`.`record_no`
  INNER JOIN `matching`.`records` AS `a`
    ON `links`.`record_a` = `a`.`record_no`
  INNER JOIN `matching`.`records` AS `b`
    ON `links`.`record_b` = `b`.`record_no`
  WHERE
    NOT `joined`.`is_contested`
    OR (
      `a`.`given_key` = `b`.`given_key`
      AND `a`.`surname_key` = `b`.`surname_key`
      AND `a`.`birth_date` IS NOT DISTINCT FROM `b`.`birth_date`
    )
), `both_ways` AS (
  SELECT
    `kept`.`record_a` AS `a`,
    `kept`.`record_b` AS `b`
  FROM `kept` AS `kept`
  UNION ALL
  SELECT
    `kept`.`record_b` AS `a`,
    `kept`.`record_a` AS `b`
  FROM `kept` AS `kept`
), `labelled` AS (
  SELECT
    `both_ways`.`a` AS `a`,
    `both_ways`.`b` AS `b`,
    `both_ways`.`a` AS `v`
  FROM `both_ways` AS `both_ways`
), `reached` AS (
  SELECT DISTINCT
    `labels`.`a` AS `node`,
    `labels`.`v` AS `label`
  FROM (
    SELECT
      `paired`.`a` AS `a`,
      `paired`.`b` AS `b`,
      MIN(
        CASE
          WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
          THEN `paired`.`m` + 0
          ELSE `paired`.`v`
        END
      ) OVER (PARTITION BY `paired`.`a`) AS `v`
    FROM (
      SELECT
        `known`.`a` AS `a`,
        `known`.`b` AS `b`,
        `known`.`v` AS `v`,
        MIN(`known`.`v`) OVER (
          PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
        ) AS `m`
      FROM (
        SELECT
          `paired`.`a` AS `a`,
          `paired`.`b` AS `b`,
          MIN(
            CASE
              WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
              THEN `paired`.`m` + 0
              ELSE `paired`.`v`
            END
          ) OVER (PARTITION BY `paired`.`a`) AS `v`
        FROM (
          SELECT
            `known`.`a` AS `a`,
            `known`.`b` AS `b`,
            `known`.`v` AS `v`,
            MIN(`known`.`v`) OVER (
              PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
            ) AS `m`
          FROM (
            SELECT
              `paired`.`a` AS `a`,
              `paired`.`b` AS `b`,
              MIN(
                CASE
                  WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                  THEN `paired`.`m` + 0
                  ELSE `paired`.`v`
                END
              ) OVER (PARTITION BY `paired`.`a`) AS `v`
            FROM (
              SELECT
                `known`.`a` AS `a`,
                `known`.`b` AS `b`,
                `known`.`v` AS `v`,
                MIN(`known`.`v`) OVER (
                  PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                ) AS `m`
              FROM (
                SELECT
                  `paired`.`a` AS `a`,
                  `paired`.`b` AS `b`,
                  MIN(
                    CASE
                      WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                      THEN `paired`.`m` + 0
                      ELSE `paired`.`v`
                    END
                  ) OVER (PARTITION BY `paired`.`a`) AS `v`
                FROM (
                  SELECT
                    `known`.`a` AS `a`,
                    `known`.`b` AS `b`,
                    `known`.`v` AS `v`,
                    MIN(`known`.`v`) OVER (
                      PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                    ) AS `m`
                  FROM (
                    SELECT
                      `paired`.`a` AS `a`,
                      `paired`.`b` AS `b`,
                      MIN(
                        CASE
                          WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                          THEN `paired`.`m` + 0
                          ELSE `paired`.`v`
                        END
                      ) OVER (PARTITION BY `paired`.`a`) AS `v`
                    FROM (
                      SELECT
                        `known`.`a` AS `a`,
                        `known`.`b` AS `b`,
                        `known`.`v` AS `v`,
                        MIN(`known`.`v`) OVER (
                          PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                        ) AS `m`
                      FROM (
                        SELECT
                          `paired`.`a` AS `a`,
                          `paired`.`b` AS `b`,
                          MIN(
                            CASE
                              WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                              THEN `paired`.`m` + 0
                              ELSE `paired`.`v`
                            END
                          ) OVER (PARTITION BY `paired`.`a`) AS `v`
                        FROM (
                          SELECT
                            `known`.`a` AS `a`,
                            `known`.`b` AS `b`,
                            `known`.`v` AS `v`,
                            MIN(`known`.`v`) OVER (
                              PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                            ) AS `m`
                          FROM (
                            SELECT
                              `paired`.`a` AS `a`,
                              `paired`.`b` AS `b`,
                              MIN(
                                CASE
                                  WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                                  THEN `paired`.`m` + 0
                                  ELSE `paired`.`v`
                                END
                              ) OVER (PARTITION BY `paired`.`a`) AS `v`
                            FROM (
                              SELECT
                                `known`.`a` AS `a`,
                                `known`.`b` AS `b`,
                                `known`.`v` AS `v`,
                                MIN(`known`.`v`) OVER (
                                  PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                ) AS `m`
                              FROM (
                                SELECT
                                  `paired`.`a` AS `a`,
                                  `paired`.`b` AS `b`,
                                  MIN(
                                    CASE
                                      WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                                      THEN `paired`.`m` + 0
                                      ELSE `paired`.`v`
                                    END
                                  ) OVER (PARTITION BY `paired`.`a`) AS `v`
                                FROM (
                                  SELECT
                                    `known`.`a` AS `a`,
                                    `known`.`b` AS `b`,
                                    `known`.`v` AS `v`,
                                    MIN(`known`.`v`) OVER (
                                      PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                    ) AS `m`
                                  FROM (
                                    SELECT
                                      `paired`.`a` AS `a`,
                                      `paired`.`b` AS `b`,
                                      MIN(
                                        CASE
                                          WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                                          THEN `paired`.`m` + 0
                                          ELSE `paired`.`v`
                                        END
                                      ) OVER (PARTITION BY `paired`.`a`) AS `v`
                                    FROM (
                                      SELECT
                                        `known`.`a` AS `a`,
                                        `known`.`b` AS `b`,
                                        `known`.`v` AS `v`,
                                        MIN(`known`.`v`) OVER (
                                          PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                        ) AS `m`
                                      FROM (
                                        SELECT
                                          `paired`.`a` AS `a`,
                                          `paired`.`b` AS `b`,
                                          MIN(
                                            CASE
                                              WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                                              THEN `paired`.`m` + 0
                                              ELSE `paired`.`v`
                                            END
                                          ) OVER (PARTITION BY `paired`.`a`) AS `v`
                                        FROM (
                                          SELECT
                                            `known`.`a` AS `a`,
                                            `known`.`b` AS `b`,
                                            `known`.`v` AS `v`,
                                            MIN(`known`.`v`) OVER (
                                              PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                            ) AS `m`
                                          FROM (
                                            SELECT
                                              `paired`.`a` AS `a`,
                                              `paired`.`b` AS `b`,
                                              MIN(
                                                CASE
                                                  WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                                                  THEN `paired`.`m` + 0
                                                  ELSE `paired`.`v`
                                                END
                                              ) OVER (PARTITION BY `paired`.`a`) AS `v`
                                            FROM (
                                              SELECT
                                                `known`.`a` AS `a`,
                                                `known`.`b` AS `b`,
                                                `known`.`v` AS `v`,
                                                MIN(`known`.`v`) OVER (
                                                  PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                                ) AS `m`
                                              FROM (
                                                SELECT
                                                  `paired`.`a` AS `a`,
                                                  `paired`.`b` AS `b`,
                                                  MIN(
                                                    CASE
                                                      WHEN `paired`.`v` IS NULL OR `paired`.`m` + 0 < `paired`.`v`
                                                      THEN `paired`.`m` + 0
                                                      ELSE `paired`.`v`
                                                    END
                                                  ) OVER (PARTITION BY `paired`.`a`) AS `v`
                                                FROM (
                                                  SELECT
                                                    `known`.`a` AS `a`,
                                                    `known`.`b` AS `b`,
                                                    `known`.`v` AS `v`,
                                                    MIN(`known`.`v`) OVER (
                                                      PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                                    ) AS `m`
                                                  FROM (
                                                    SELECT
                                                      `labelled`.`a` AS `a`,
                                                      `labelled`.`b` AS `b`,
                                                      `labelled`.`v` AS `v`
                                                    FROM `labelled` AS `labelled`
                                                  ) AS `known`
                                                ) AS `paired`
                                              ) AS `known`
                                            ) AS `paired`
                                          ) AS `known`
                                        ) AS `paired`
                                      ) AS `known`
                                    ) AS `paired`
                                  ) AS `known`
                                ) AS `paired`
                              ) AS `known`
                            ) AS `paired`
                          ) AS `known`
                        ) AS `paired`
                      ) AS `known`
                    ) AS `paired`
                  ) AS `known`
                ) AS `paired`
              ) AS `known`
            ) AS `paired`
          ) AS `known`
        ) AS `paired`
      ) AS `known`
    ) AS `paired`
  ) AS `labels`
), `members` AS (
  SELECT
    `reached`.`node` AS `record_no`,
    MIN(`reached`.`label`) AS `cluster_no`
  FROM `reached` AS `reached`
  GROUP BY
    `reached`.`node`
)
SELECT
  `records`.`record_no` AS `record_no`,
  `records`.`record_key` AS `record_key`,
  COALESCE(`members`.`cluster_no`, `records`.`record_no`) AS `cluster_no`
FROM `matching`.`records` AS `records`
LEFT JOIN `members` AS `members`
  ON `records`.`record_no` = `members`.`record_no`;

-- recipient_ids
WITH `current_records` AS (
  SELECT
    `clusters`.`record_key` AS `record_key`,
    `clusters`.`cluster_no` AS `cluster_no`,
    `records`.`created_at` AS `created_at`,
    `records`.`first_seen_at` AS `first_seen_at`,
    `records`.`seen_at` AS `seen_at`
  FROM `matching`.`clusters` AS `clusters`
  INNER JOIN `matching`.`records` AS `records`
    ON `clusters`.`record_no` = `records`.`record_no`
), `remembered` AS (
  SELECT
    CAST(NULL AS STRING) AS `record_key`,
    CAST(NULL AS STRING) AS `recipient_id`,
    CAST(NULL AS STRING) AS `anchor_key`,
    CAST(NULL AS TIMESTAMP) AS `known_since`
  WHERE
    FALSE
), `votes` AS (
  SELECT
    `current_records`.`cluster_no` AS `cluster_no`,
    `remembered`.`recipient_id` AS `recipient_id`,
    `remembered`.`anchor_key` AS `anchor_key`,
    `remembered`.`known_since` AS `known_since`,
    `remembered`.`record_key` AS `record_key`,
    `current_records`.`created_at` AS `created_at`
  FROM `remembered` AS `remembered`
  INNER JOIN `current_records` AS `current_records`
    ON `remembered`.`record_key` = `current_records`.`record_key`
  UNION ALL
  SELECT
    `current_records`.`cluster_no` AS `cluster_no`,
    `remembered`.`recipient_id` AS `recipient_id`,
    `remembered`.`anchor_key` AS `anchor_key`,
    `remembered`.`known_since` AS `known_since`,
    `remembered`.`record_key` AS `record_key`,
    `current_records`.`created_at` AS `created_at`
  FROM `remembered` AS `remembered`
  INNER JOIN `staging`.`stg_departed` AS `departed`
    ON `remembered`.`record_key` = `departed`.`record_key`
  INNER JOIN `current_records` AS `current_records`
    ON `departed`.`survivor_key` = `current_records`.`record_key`
), `claims` AS (
  SELECT
    `votes`.`cluster_no` AS `cluster_no`,
    `votes`.`recipient_id` AS `recipient_id`,
    MIN(`votes`.`known_since`) AS `known_since`,
    MIN(`votes`.`anchor_key`) AS `anchor_key`,
    BOOL_OR(`votes`.`record_key` = `votes`.`anchor_key`) AS `has_anchor`,
    COUNT(*) AS `records`,
    MIN(`votes`.`created_at`) AS `created_at`
  FROM `votes` AS `votes`
  GROUP BY
    `votes`.`cluster_no`,
    `votes`.`recipient_id`
), `owned` AS (
  SELECT
    `claims`.`cluster_no` AS `cluster_no`,
    `claims`.`recipient_id` AS `recipient_id`,
    `claims`.`known_since` AS `known_since`,
    `claims`.`anchor_key` AS `anchor_key`,
    `claims`.`has_anchor` AS `has_anchor`,
    `claims`.`records` AS `records`,
    `claims`.`created_at` AS `created_at`,
    ROW_NUMBER() OVER (
      PARTITION BY `claims`.`recipient_id`
      ORDER BY `claims`.`has_anchor` DESC, `claims`.`records` DESC, `claims`.`created_at` ASC NULLS LAST, `claims`.`cluster_no` ASC NULLS LAST
    ) AS `place`
  FROM `claims` AS `claims`
), `chosen` AS (
  SELECT
    `owned`.`cluster_no` AS `cluster_no`,
    `owned`.`recipient_id` AS `recipient_id`,
    `owned`.`anchor_key` AS `anchor_key`,
    `owned`.`known_since` AS `known_since`,
    ROW_NUMBER() OVER (
      PARTITION BY `owned`.`cluster_no`
      ORDER BY `owned`.`known_since` ASC NULLS LAST, `owned`.`created_at` ASC NULLS LAST, `owned`.`recipient_id` ASC NULLS LAST
    ) AS `place`
  FROM `owned` AS `owned`
  WHERE
    `owned`.`place` = 1
), `founders` AS (
  SELECT
    `current_records`.`cluster_no` AS `cluster_no`,
    `current_records`.`record_key` AS `record_key`,
    CASE
      WHEN BOOL_OR(NOT `remembered`.`record_key` IS NULL) OVER (PARTITION BY `current_records`.`cluster_no`)
      THEN MAX(`current_records`.`seen_at`) OVER (PARTITION BY `current_records`.`cluster_no`)
      ELSE MIN(`current_records`.`first_seen_at`) OVER (PARTITION BY `current_records`.`cluster_no`)
    END AS `known_since`,
    ROW_NUMBER() OVER (
      PARTITION BY `current_records`.`cluster_no`
      ORDER BY `current_records`.`created_at` ASC NULLS LAST, `current_records`.`record_key` ASC NULLS LAST
    ) AS `place`
  FROM `current_records` AS `current_records`
  LEFT JOIN `remembered` AS `remembered`
    ON `current_records`.`record_key` = `remembered`.`record_key`
), `assigned` AS (
  SELECT
    `founders`.`cluster_no` AS `cluster_no`,
    COALESCE(
      `chosen`.`recipient_id`,
      CASE
        WHEN `taken`.`recipient_id` IS NULL
        THEN 'r' || SUBSTRING(MD5(`founders`.`record_key`), 1, 20)
        ELSE 'r' || SUBSTRING(
          MD5(
            `founders`.`record_key` || ' again since ' || DATE_FORMAT(`founders`.`known_since`, 'yyyy-MM-dd HH:mm:ss')
          ),
          1,
          20
        )
      END
    ) AS `recipient_id`,
    COALESCE(`chosen`.`anchor_key`, `founders`.`record_key`) AS `anchor_key`,
    COALESCE(`chosen`.`known_since`, `founders`.`known_since`) AS `known_since`
  FROM `founders` AS `founders`
  LEFT JOIN `chosen` AS `chosen`
    ON `founders`.`cluster_no` = `chosen`.`cluster_no` AND `chosen`.`place` = 1
  LEFT JOIN (
    SELECT DISTINCT
      `remembered`.`recipient_id` AS `recipient_id`
    FROM `remembered` AS `remembered`
  ) AS `taken`
    ON 'r' || SUBSTRING(MD5(`founders`.`record_key`), 1, 20) = `taken`.`recipient_id`
  WHERE
    `founders`.`place` = 1
), `given_up` AS (
  SELECT
    `chosen`.`recipient_id` AS `former_id`,
    `assigned`.`recipient_id` AS `recipient_id`,
    `assigned`.`anchor_key` AS `anchor_key`,
    `assigned`.`known_since` AS `known_since`
  FROM `chosen` AS `chosen`
  INNER JOIN `assigned` AS `assigned`
    ON `chosen`.`cluster_no` = `assigned`.`cluster_no`
  WHERE
    `chosen`.`place` > 1
)
SELECT
  `current_records`.`record_key` AS `record_key`,
  `assigned`.`recipient_id` AS `recipient_id`,
  `assigned`.`anchor_key` AS `anchor_key`,
  `assigned`.`known_since` AS `known_since`
FROM `current_records` AS `current_records`
INNER JOIN `assigned` AS `assigned`
  ON `current_records`.`cluster_no` = `assigned`.`cluster_no`
UNION ALL
SELECT
  `remembered`.`record_key` AS `record_key`,
  COALESCE(`given_up`.`recipient_id`, `remembered`.`recipient_id`) AS `recipient_id`,
  COALESCE(`given_up`.`anchor_key`, `remembered`.`anchor_key`) AS `anchor_key`,
  COALESCE(`given_up`.`known_since`, `remembered`.`known_since`) AS `known_since`
FROM `remembered` AS `remembered`
LEFT JOIN `current_records` AS `current_records`
  ON `remembered`.`record_key` = `current_records`.`record_key`
LEFT JOIN `given_up` AS `given_up`
  ON `remembered`.`recipient_id` = `given_up`.`former_id`
WHERE
  `current_records`.`record_key` IS NULL;

-- recipient_ids (incremental)
WITH `current_records` AS (
  SELECT
    `clusters`.`record_key` AS `record_key`,
    `clusters`.`cluster_no` AS `cluster_no`,
    `records`.`created_at` AS `created_at`,
    `records`.`first_seen_at` AS `first_seen_at`,
    `records`.`seen_at` AS `seen_at`
  FROM `matching`.`clusters` AS `clusters`
  INNER JOIN `matching`.`records` AS `records`
    ON `clusters`.`record_no` = `records`.`record_no`
), `remembered` AS (
  SELECT
    `recipient_ids`.`record_key` AS `record_key`,
    `recipient_ids`.`recipient_id` AS `recipient_id`,
    `recipient_ids`.`anchor_key` AS `anchor_key`,
    `recipient_ids`.`known_since` AS `known_since`
  FROM `campaign`.`recipient_ids` AS `recipient_ids`
), `votes` AS (
  SELECT
    `current_records`.`cluster_no` AS `cluster_no`,
    `remembered`.`recipient_id` AS `recipient_id`,
    `remembered`.`anchor_key` AS `anchor_key`,
    `remembered`.`known_since` AS `known_since`,
    `remembered`.`record_key` AS `record_key`,
    `current_records`.`created_at` AS `created_at`
  FROM `remembered` AS `remembered`
  INNER JOIN `current_records` AS `current_records`
    ON `remembered`.`record_key` = `current_records`.`record_key`
  UNION ALL
  SELECT
    `current_records`.`cluster_no` AS `cluster_no`,
    `remembered`.`recipient_id` AS `recipient_id`,
    `remembered`.`anchor_key` AS `anchor_key`,
    `remembered`.`known_since` AS `known_since`,
    `remembered`.`record_key` AS `record_key`,
    `current_records`.`created_at` AS `created_at`
  FROM `remembered` AS `remembered`
  INNER JOIN `staging`.`stg_departed` AS `departed`
    ON `remembered`.`record_key` = `departed`.`record_key`
  INNER JOIN `current_records` AS `current_records`
    ON `departed`.`survivor_key` = `current_records`.`record_key`
), `claims` AS (
  SELECT
    `votes`.`cluster_no` AS `cluster_no`,
    `votes`.`recipient_id` AS `recipient_id`,
    MIN(`votes`.`known_since`) AS `known_since`,
    MIN(`votes`.`anchor_key`) AS `anchor_key`,
    BOOL_OR(`votes`.`record_key` = `votes`.`anchor_key`) AS `has_anchor`,
    COUNT(*) AS `records`,
    MIN(`votes`.`created_at`) AS `created_at`
  FROM `votes` AS `votes`
  GROUP BY
    `votes`.`cluster_no`,
    `votes`.`recipient_id`
), `owned` AS (
  SELECT
    `claims`.`cluster_no` AS `cluster_no`,
    `claims`.`recipient_id` AS `recipient_id`,
    `claims`.`known_since` AS `known_since`,
    `claims`.`anchor_key` AS `anchor_key`,
    `claims`.`has_anchor` AS `has_anchor`,
    `claims`.`records` AS `records`,
    `claims`.`created_at` AS `created_at`,
    ROW_NUMBER() OVER (
      PARTITION BY `claims`.`recipient_id`
      ORDER BY `claims`.`has_anchor` DESC, `claims`.`records` DESC, `claims`.`created_at` ASC NULLS LAST, `claims`.`cluster_no` ASC NULLS LAST
    ) AS `place`
  FROM `claims` AS `claims`
), `chosen` AS (
  SELECT
    `owned`.`cluster_no` AS `cluster_no`,
    `owned`.`recipient_id` AS `recipient_id`,
    `owned`.`anchor_key` AS `anchor_key`,
    `owned`.`known_since` AS `known_since`,
    ROW_NUMBER() OVER (
      PARTITION BY `owned`.`cluster_no`
      ORDER BY `owned`.`known_since` ASC NULLS LAST, `owned`.`created_at` ASC NULLS LAST, `owned`.`recipient_id` ASC NULLS LAST
    ) AS `place`
  FROM `owned` AS `owned`
  WHERE
    `owned`.`place` = 1
), `founders` AS (
  SELECT
    `current_records`.`cluster_no` AS `cluster_no`,
    `current_records`.`record_key` AS `record_key`,
    CASE
      WHEN BOOL_OR(NOT `remembered`.`record_key` IS NULL) OVER (PARTITION BY `current_records`.`cluster_no`)
      THEN MAX(`current_records`.`seen_at`) OVER (PARTITION BY `current_records`.`cluster_no`)
      ELSE MIN(`current_records`.`first_seen_at`) OVER (PARTITION BY `current_records`.`cluster_no`)
    END AS `known_since`,
    ROW_NUMBER() OVER (
      PARTITION BY `current_records`.`cluster_no`
      ORDER BY `current_records`.`created_at` ASC NULLS LAST, `current_records`.`record_key` ASC NULLS LAST
    ) AS `place`
  FROM `current_records` AS `current_records`
  LEFT JOIN `remembered` AS `remembered`
    ON `current_records`.`record_key` = `remembered`.`record_key`
), `assigned` AS (
  SELECT
    `founders`.`cluster_no` AS `cluster_no`,
    COALESCE(
      `chosen`.`recipient_id`,
      CASE
        WHEN `taken`.`recipient_id` IS NULL
        THEN 'r' || SUBSTRING(MD5(`founders`.`record_key`), 1, 20)
        ELSE 'r' || SUBSTRING(
          MD5(
            `founders`.`record_key` || ' again since ' || DATE_FORMAT(`founders`.`known_since`, 'yyyy-MM-dd HH:mm:ss')
          ),
          1,
          20
        )
      END
    ) AS `recipient_id`,
    COALESCE(`chosen`.`anchor_key`, `founders`.`record_key`) AS `anchor_key`,
    COALESCE(`chosen`.`known_since`, `founders`.`known_since`) AS `known_since`
  FROM `founders` AS `founders`
  LEFT JOIN `chosen` AS `chosen`
    ON `founders`.`cluster_no` = `chosen`.`cluster_no` AND `chosen`.`place` = 1
  LEFT JOIN (
    SELECT DISTINCT
      `remembered`.`recipient_id` AS `recipient_id`
    FROM `remembered` AS `remembered`
  ) AS `taken`
    ON 'r' || SUBSTRING(MD5(`founders`.`record_key`), 1, 20) = `taken`.`recipient_id`
  WHERE
    `founders`.`place` = 1
), `given_up` AS (
  SELECT
    `chosen`.`recipient_id` AS `former_id`,
    `assigned`.`recipient_id` AS `recipient_id`,
    `assigned`.`anchor_key` AS `anchor_key`,
    `assigned`.`known_since` AS `known_since`
  FROM `chosen` AS `chosen`
  INNER JOIN `assigned` AS `assigned`
    ON `chosen`.`cluster_no` = `assigned`.`cluster_no`
  WHERE
    `chosen`.`place` > 1
)
SELECT
  `current_records`.`record_key` AS `record_key`,
  `assigned`.`recipient_id` AS `recipient_id`,
  `assigned`.`anchor_key` AS `anchor_key`,
  `assigned`.`known_since` AS `known_since`
FROM `current_records` AS `current_records`
INNER JOIN `assigned` AS `assigned`
  ON `current_records`.`cluster_no` = `assigned`.`cluster_no`
UNION ALL
SELECT
  `remembered`.`record_key` AS `record_key`,
  COALESCE(`given_up`.`recipient_id`, `remembered`.`recipient_id`) AS `recipient_id`,
  COALESCE(`given_up`.`anchor_key`, `remembered`.`anchor_key`) AS `anchor_key`,
  COALESCE(`given_up`.`known_since`, `remembered`.`known_since`) AS `known_since`
FROM `remembered` AS `remembered`
LEFT JOIN `current_records` AS `current_records`
  ON `remembered`.`record_key` = `current_records`.`record_key`
LEFT JOIN `given_up` AS `given_up`
  ON `remembered`.`recipient_id` = `given_up`.`former_id`
WHERE
  `current_records`.`record_key` IS NULL;

-- recipient_links
SELECT
  `records`.`record_key` AS `record_key`,
  `recipient_ids`.`recipient_id` AS `recipient_id`,
  `records`.`account` AS `account`,
  `records`.`object` AS `object`,
  `records`.`record_id` AS `record_id`,
  `records`.`email_key` AS `email_key`,
  `records`.`opted_out` AS `opted_out`,
  `records`.`is_read_only` AS `is_read_only`
FROM `matching`.`records` AS `records`
INNER JOIN `campaign`.`recipient_ids` AS `recipient_ids`
  ON `records`.`record_key` = `recipient_ids`.`record_key`;

-- engagement
WITH `reached` AS (
  SELECT DISTINCT
    `recipient_links`.`email_key` AS `email_key`,
    `recipient_links`.`recipient_id` AS `recipient_id`
  FROM `campaign`.`recipient_links` AS `recipient_links`
  WHERE
    NOT `recipient_links`.`email_key` IS NULL
)
SELECT
  `events`.`event_id` || ' ' || `reached`.`recipient_id` AS `engagement_key`,
  `events`.`event_id` AS `event_id`,
  `reached`.`recipient_id` AS `recipient_id`,
  `events`.`email_key` AS `email_key`,
  `events`.`campaign` AS `campaign`,
  `events`.`event_type` AS `event_type`,
  `events`.`occurred_at` AS `occurred_at`
FROM `staging`.`stg_engagement` AS `events`
INNER JOIN `reached` AS `reached`
  ON `events`.`email_key` = `reached`.`email_key`;

-- opt_outs
WITH `reasons` AS (
  SELECT
    `links`.`recipient_id` AS `recipient_id`,
    'crm_record' AS `reason`,
    `links`.`record_key` AS `found_at`,
    CAST(NULL AS TIMESTAMP) AS `opted_out_at`
  FROM `campaign`.`recipient_links` AS `links`
  WHERE
    `links`.`opted_out`
  UNION ALL
  SELECT
    `recipient_ids`.`recipient_id` AS `recipient_id`,
    'departed_record' AS `reason`,
    `departed`.`record_key` AS `found_at`,
    `departed`.`departed_at` AS `opted_out_at`
  FROM `staging`.`stg_departed` AS `departed`
  INNER JOIN `campaign`.`recipient_ids` AS `recipient_ids`
    ON `departed`.`record_key` = `recipient_ids`.`record_key`
  WHERE
    `departed`.`opted_out`
  UNION ALL
  SELECT
    `links`.`recipient_id` AS `recipient_id`,
    'departed_record' AS `reason`,
    `departed`.`record_key` AS `found_at`,
    `departed`.`departed_at` AS `opted_out_at`
  FROM `staging`.`stg_departed` AS `departed`
  INNER JOIN `campaign`.`recipient_links` AS `links`
    ON `departed`.`survivor_key` = `links`.`record_key`
  WHERE
    `departed`.`opted_out`
  UNION ALL
  SELECT
    `links`.`recipient_id` AS `recipient_id`,
    'departed_record' AS `reason`,
    `departed`.`record_key` AS `found_at`,
    `departed`.`departed_at` AS `opted_out_at`
  FROM `staging`.`stg_departed` AS `departed`
  INNER JOIN `campaign`.`recipient_links` AS `links`
    ON `departed`.`email_key` = `links`.`email_key`
  WHERE
    `departed`.`opted_out`
  UNION ALL
  SELECT
    `links`.`recipient_id` AS `recipient_id`,
    'campaign_opt_out' AS `reason`,
    `addresses`.`email_key` AS `found_at`,
    `addresses`.`opted_out_at` AS `opted_out_at`
  FROM `campaign`.`addresses` AS `addresses`
  INNER JOIN `campaign`.`recipient_links` AS `links`
    ON `addresses`.`email_key` = `links`.`email_key`
  WHERE
    `addresses`.`opted_out`
  UNION ALL
  SELECT
    `links`.`recipient_id` AS `recipient_id`,
    'bounced' AS `reason`,
    MIN(`links`.`email_key`) AS `found_at`,
    MAX(`addresses`.`last_bounce_at`) AS `opted_out_at`
  FROM `campaign`.`recipient_links` AS `links`
  LEFT JOIN `campaign`.`addresses` AS `addresses`
    ON `links`.`email_key` = `addresses`.`email_key`
  WHERE
    NOT `links`.`email_key` IS NULL
  GROUP BY
    `links`.`recipient_id`
  HAVING
    BOOL_AND(COALESCE(`addresses`.`is_dead`, FALSE))
)
SELECT
  `reasons`.`recipient_id` || ' ' || `reasons`.`reason` || ' ' || `reasons`.`found_at` AS `opt_out_key`,
  `reasons`.`recipient_id` AS `recipient_id`,
  `reasons`.`reason` AS `reason`,
  `reasons`.`found_at` AS `found_at`,
  MIN(`reasons`.`opted_out_at`) AS `opted_out_at`
FROM `reasons` AS `reasons`
WHERE
  `reasons`.`recipient_id` IN (
    SELECT
      `recipient_links`.`recipient_id` AS `recipient_id`
    FROM `campaign`.`recipient_links` AS `recipient_links`
  )
GROUP BY
  `reasons`.`recipient_id`,
  `reasons`.`reason`,
  `reasons`.`found_at`;

-- engagement_scores
WITH `clock` AS (
  SELECT
    MAX(`stg_engagement`.`occurred_at`) AS `as_of`
  FROM `staging`.`stg_engagement` AS `stg_engagement`
), `weighed` AS (
  SELECT
    `engagement`.`recipient_id` AS `recipient_id`,
    `engagement`.`event_type` AS `event_type`,
    `engagement`.`occurred_at` AS `occurred_at`,
    `clock`.`as_of` AS `as_of`,
    CAST(CASE `engagement`.`event_type`
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
        CAST(UNIX_MICROS(`clock`.`as_of`) AS DOUBLE) / 1000000 - CAST(UNIX_MICROS(`engagement`.`occurred_at`) AS DOUBLE) / 1000000
      ) / 86400.0 / 90
    ) AS DECIMAL(18, 6)) AS `worth`
  FROM `campaign`.`engagement` AS `engagement`
  CROSS JOIN `clock` AS `clock`
)
SELECT
  `weighed`.`recipient_id` AS `recipient_id`,
  CAST(CASE
    WHEN BOOL_OR(NOT `opt_outs`.`recipient_id` IS NULL)
    THEN 0
    ELSE GREATEST(0, LEAST(100, ROUND(SUM(`weighed`.`worth`), 1)))
  END AS DECIMAL(5, 1)) AS `score`,
  MAX(CASE WHEN `weighed`.`event_type` = 'open' THEN `weighed`.`occurred_at` END) AS `last_open_at`,
  SUM(CASE WHEN `weighed`.`event_type` = 'send' THEN 1 ELSE 0 END) AS `sends`,
  SUM(CASE WHEN `weighed`.`event_type` = 'open' THEN 1 ELSE 0 END) AS `opens`,
  SUM(CASE WHEN `weighed`.`event_type` = 'click' THEN 1 ELSE 0 END) AS `clicks`,
  SUM(CASE WHEN `weighed`.`event_type` = 'bounce' THEN 1 ELSE 0 END) AS `bounces`,
  SUM(CASE WHEN `weighed`.`event_type` = 'opt_out' THEN 1 ELSE 0 END) AS `opt_outs`,
  MAX(`weighed`.`occurred_at`) AS `last_event_at`,
  MAX(`weighed`.`as_of`) AS `as_of`,
  BOOL_OR(NOT `opt_outs`.`recipient_id` IS NULL) AS `opted_out`
FROM `weighed` AS `weighed`
LEFT JOIN (
  SELECT DISTINCT
    `opt_outs`.`recipient_id` AS `recipient_id`
  FROM `campaign`.`opt_outs` AS `opt_outs`
) AS `opt_outs`
  ON `weighed`.`recipient_id` = `opt_outs`.`recipient_id`
GROUP BY
  `weighed`.`recipient_id`;

-- recipients
WITH `members` AS (
  SELECT
    `recipient_ids`.`recipient_id` AS `recipient_id`,
    `recipient_ids`.`known_since` AS `known_since`,
    `records`.`record_key` AS `record_key`,
    `records`.`account` AS `account`,
    `records`.`salutation` AS `salutation`,
    `records`.`first_name` AS `first_name`,
    `records`.`last_name` AS `last_name`,
    `records`.`email` AS `email`,
    `records`.`email_key` AS `email_key`,
    `records`.`phone` AS `phone`,
    `records`.`phone_key` AS `phone_key`,
    `records`.`mobile_phone` AS `mobile_phone`,
    `records`.`mobile_key` AS `mobile_key`,
    `records`.`street` AS `street`,
    `records`.`city` AS `city`,
    `records`.`state` AS `state`,
    `records`.`postal_code` AS `postal_code`,
    `records`.`country` AS `country`,
    `records`.`company` AS `company`,
    `records`.`job_title` AS `job_title`,
    `records`.`birth_date` AS `birth_date`,
    `records`.`do_not_call` AS `do_not_call`,
    `records`.`member_number` AS `member_number`,
    `records`.`object` AS `object`,
    `records`.`created_at` AS `created_at`,
    `records`.`content_changed_at` AS `content_changed_at`,
    COALESCE(`records`.`email_changed_at`, `records`.`content_changed_at`) AS `email_changed_at`,
    `records`.`given_key` AS `given_key`,
    `records`.`surname_key` AS `surname_key`,
    COALESCE(`addresses`.`is_dead`, FALSE) AS `is_dead`
  FROM `matching`.`records` AS `records`
  INNER JOIN `campaign`.`recipient_ids` AS `recipient_ids`
    ON `records`.`record_key` = `recipient_ids`.`record_key`
  LEFT JOIN `campaign`.`addresses` AS `addresses`
    ON `records`.`email_key` = `addresses`.`email_key`
), `agreed` AS (
  SELECT
    `members`.`recipient_id` AS `recipient_id`,
    `members`.`known_since` AS `known_since`,
    `members`.`record_key` AS `record_key`,
    `members`.`account` AS `account`,
    `members`.`salutation` AS `salutation`,
    `members`.`first_name` AS `first_name`,
    `members`.`last_name` AS `last_name`,
    `members`.`email` AS `email`,
    `members`.`email_key` AS `email_key`,
    `members`.`phone` AS `phone`,
    `members`.`phone_key` AS `phone_key`,
    `members`.`mobile_phone` AS `mobile_phone`,
    `members`.`mobile_key` AS `mobile_key`,
    `members`.`street` AS `street`,
    `members`.`city` AS `city`,
    `members`.`state` AS `state`,
    `members`.`postal_code` AS `postal_code`,
    `members`.`country` AS `country`,
    `members`.`company` AS `company`,
    `members`.`job_title` AS `job_title`,
    `members`.`birth_date` AS `birth_date`,
    `members`.`do_not_call` AS `do_not_call`,
    `members`.`member_number` AS `member_number`,
    `members`.`object` AS `object`,
    `members`.`created_at` AS `created_at`,
    `members`.`content_changed_at` AS `content_changed_at`,
    `members`.`email_changed_at` AS `email_changed_at`,
    `members`.`given_key` AS `given_key`,
    `members`.`surname_key` AS `surname_key`,
    `members`.`is_dead` AS `is_dead`,
    COUNT(*) OVER (
      PARTITION BY `members`.`recipient_id`, `members`.`given_key`, `members`.`surname_key`
    ) AS `same_name`,
    COUNT(`members`.`birth_date`) OVER (PARTITION BY `members`.`recipient_id`, `members`.`birth_date`) AS `same_birth_date`,
    CASE WHEN NOT `members`.`street` IS NULL THEN 2 ELSE 0 END + CASE WHEN NOT `members`.`postal_code` IS NULL THEN 1 ELSE 0 END + CASE WHEN NOT `members`.`city` IS NULL THEN 1 ELSE 0 END + CASE WHEN NOT `members`.`country` IS NULL THEN 1 ELSE 0 END AS `address_parts`
  FROM `members` AS `members`
), `ranked` AS (
  SELECT
    `agreed`.`recipient_id` AS `recipient_id`,
    `agreed`.`known_since` AS `known_since`,
    `agreed`.`record_key` AS `record_key`,
    `agreed`.`account` AS `account`,
    `agreed`.`salutation` AS `salutation`,
    `agreed`.`first_name` AS `first_name`,
    `agreed`.`last_name` AS `last_name`,
    `agreed`.`email` AS `email`,
    `agreed`.`email_key` AS `email_key`,
    `agreed`.`phone` AS `phone`,
    `agreed`.`phone_key` AS `phone_key`,
    `agreed`.`mobile_phone` AS `mobile_phone`,
    `agreed`.`mobile_key` AS `mobile_key`,
    `agreed`.`street` AS `street`,
    `agreed`.`city` AS `city`,
    `agreed`.`state` AS `state`,
    `agreed`.`postal_code` AS `postal_code`,
    `agreed`.`country` AS `country`,
    `agreed`.`company` AS `company`,
    `agreed`.`job_title` AS `job_title`,
    `agreed`.`birth_date` AS `birth_date`,
    `agreed`.`do_not_call` AS `do_not_call`,
    `agreed`.`member_number` AS `member_number`,
    `agreed`.`object` AS `object`,
    `agreed`.`created_at` AS `created_at`,
    `agreed`.`content_changed_at` AS `content_changed_at`,
    `agreed`.`email_changed_at` AS `email_changed_at`,
    `agreed`.`given_key` AS `given_key`,
    `agreed`.`surname_key` AS `surname_key`,
    `agreed`.`is_dead` AS `is_dead`,
    `agreed`.`same_name` AS `same_name`,
    `agreed`.`same_birth_date` AS `same_birth_date`,
    `agreed`.`address_parts` AS `address_parts`,
    ROW_NUMBER() OVER (
      PARTITION BY `agreed`.`recipient_id`
      ORDER BY CASE
        WHEN NOT `agreed`.`email_key` IS NULL AND NOT `agreed`.`is_dead`
        THEN 0
        WHEN NOT `agreed`.`email_key` IS NULL
        THEN 1
        WHEN NOT `agreed`.`email` IS NULL
        THEN 2
        ELSE 3
      END NULLS LAST, `agreed`.`email_changed_at` DESC, `agreed`.`record_key` NULLS LAST
    ) AS `email_place`,
    ROW_NUMBER() OVER (
      PARTITION BY `agreed`.`recipient_id`
      ORDER BY CASE
        WHEN NOT `agreed`.`given_key` IS NULL AND NOT `agreed`.`surname_key` IS NULL
        THEN 0
        ELSE 1
      END NULLS LAST, CASE WHEN LENGTH(`agreed`.`given_key`) = 1 THEN 1 ELSE 0 END NULLS LAST, CASE
        WHEN `agreed`.`first_name` || `agreed`.`last_name` IN (
          UPPER(`agreed`.`first_name` || `agreed`.`last_name`),
          LOWER(`agreed`.`first_name` || `agreed`.`last_name`)
        )
        THEN 1
        ELSE 0
      END NULLS LAST, `agreed`.`same_name` DESC, CASE
        WHEN `backhaul`.strip_accents(`agreed`.`first_name` || `agreed`.`last_name`) <> `agreed`.`first_name` || `agreed`.`last_name`
        THEN 0
        ELSE 1
      END NULLS LAST, LENGTH(COALESCE(`agreed`.`first_name`, '') || COALESCE(`agreed`.`last_name`, '')) DESC, `agreed`.`content_changed_at` DESC, `agreed`.`record_key` NULLS LAST
    ) AS `name_place`,
    ROW_NUMBER() OVER (
      PARTITION BY `agreed`.`recipient_id`
      ORDER BY CASE WHEN `agreed`.`salutation` IS NULL THEN 1 ELSE 0 END NULLS LAST, `agreed`.`content_changed_at` DESC, `agreed`.`record_key` NULLS LAST
    ) AS `salutation_place`,
    ROW_NUMBER() OVER (
      PARTITION BY `agreed`.`recipient_id`
      ORDER BY CASE
        WHEN NOT `agreed`.`phone_key` IS NULL
        THEN 0
        WHEN NOT `agreed`.`phone` IS NULL
        THEN 1
        ELSE 2
      END NULLS LAST, `agreed`.`content_changed_at` DESC, `agreed`.`record_key` NULLS LAST
    ) AS `phone_place`,
    ROW_NUMBER() OVER (
      PARTITION BY `agreed`.`recipient_id`
      ORDER BY CASE
        WHEN NOT `agreed`.`mobile_key` IS NULL
        THEN 0
        WHEN NOT `agreed`.`mobile_phone` IS NULL
        THEN 1
        ELSE 2
      END NULLS LAST, `agreed`.`content_changed_at` DESC, `agreed`.`record_key` NULLS LAST
    ) AS `mobile_place`,
    ROW_NUMBER() OVER (
      PARTITION BY `agreed`.`recipient_id`
      ORDER BY `agreed`.`address_parts` DESC, `agreed`.`content_changed_at` DESC, `agreed`.`record_key` NULLS LAST
    ) AS `address_place`,
    ROW_NUMBER() OVER (
      PARTITION BY `agreed`.`recipient_id`
      ORDER BY CASE WHEN `agreed`.`company` IS NULL THEN 1 ELSE 0 END NULLS LAST, `agreed`.`content_changed_at` DESC, `agreed`.`record_key` NULLS LAST
    ) AS `company_place`,
    ROW_NUMBER() OVER (
      PARTITION BY `agreed`.`recipient_id`
      ORDER BY CASE WHEN `agreed`.`job_title` IS NULL THEN 1 ELSE 0 END NULLS LAST, `agreed`.`content_changed_at` DESC, `agreed`.`record_key` NULLS LAST
    ) AS `job_place`,
    ROW_NUMBER() OVER (
      PARTITION BY `agreed`.`recipient_id`
      ORDER BY CASE WHEN `agreed`.`birth_date` IS NULL THEN 1 ELSE 0 END NULLS LAST, `agreed`.`same_birth_date` DESC, `agreed`.`content_changed_at` DESC, `agreed`.`record_key` NULLS LAST
    ) AS `birth_place`,
    ROW_NUMBER() OVER (
      PARTITION BY `agreed`.`recipient_id`
      ORDER BY CASE WHEN `agreed`.`member_number` IS NULL THEN 1 ELSE 0 END NULLS LAST, `agreed`.`created_at` ASC NULLS LAST, `agreed`.`record_key` NULLS LAST
    ) AS `member_place`
  FROM `agreed` AS `agreed`
), `merged` AS (
  SELECT
    `ranked`.`recipient_id` AS `recipient_id`,
    MAX(CASE WHEN `ranked`.`salutation_place` = 1 THEN `ranked`.`salutation` END) AS `salutation`,
    MAX(CASE WHEN `ranked`.`name_place` = 1 THEN `ranked`.`first_name` END) AS `first_name`,
    MAX(CASE WHEN `ranked`.`name_place` = 1 THEN `ranked`.`last_name` END) AS `last_name`,
    MAX(CASE WHEN `ranked`.`email_place` = 1 THEN `ranked`.`email` END) AS `email`,
    COALESCE(
      BOOL_OR(
        `ranked`.`email_place` = 1
        AND NOT `ranked`.`email_key` IS NULL
        AND NOT `ranked`.`is_dead`
      ),
      FALSE
    ) AS `email_is_valid`,
    MAX(CASE WHEN `ranked`.`phone_place` = 1 THEN `ranked`.`phone` END) AS `phone`,
    MAX(CASE WHEN `ranked`.`mobile_place` = 1 THEN `ranked`.`mobile_phone` END) AS `mobile_phone`,
    MAX(CASE WHEN `ranked`.`address_place` = 1 THEN `ranked`.`street` END) AS `street`,
    MAX(CASE WHEN `ranked`.`address_place` = 1 THEN `ranked`.`city` END) AS `city`,
    MAX(CASE WHEN `ranked`.`address_place` = 1 THEN `ranked`.`state` END) AS `state`,
    MAX(CASE WHEN `ranked`.`address_place` = 1 THEN `ranked`.`postal_code` END) AS `postal_code`,
    MAX(CASE WHEN `ranked`.`address_place` = 1 THEN `ranked`.`country` END) AS `country`,
    MAX(CASE WHEN `ranked`.`company_place` = 1 THEN `ranked`.`company` END) AS `company`,
    MAX(CASE WHEN `ranked`.`job_place` = 1 THEN `ranked`.`job_title` END) AS `job_title`,
    MAX(CASE WHEN `ranked`.`birth_place` = 1 THEN `ranked`.`birth_date` END) AS `birth_date`,
    BOOL_OR(`ranked`.`do_not_call`) AS `do_not_call`,
    MAX(CASE WHEN `ranked`.`member_place` = 1 THEN `ranked`.`member_number` END) AS `member_number`,
    MAX(CASE WHEN `ranked`.`name_place` = 1 THEN `ranked`.`record_key` END) AS `main_record_key`,
    COUNT(*) AS `records`,
    COUNT(DISTINCT `ranked`.`account`) AS `accounts`,
    BOOL_OR(`ranked`.`object` IN ('Contact', 'contact')) AS `is_contact`,
    MIN(`ranked`.`created_at`) AS `created_at`,
    MAX(`ranked`.`content_changed_at`) AS `changed_at`,
    MIN(`ranked`.`known_since`) AS `known_since`
  FROM `ranked` AS `ranked`
  GROUP BY
    `ranked`.`recipient_id`
)
SELECT
  `merged`.`recipient_id` AS `recipient_id`,
  `merged`.`salutation` AS `salutation`,
  `merged`.`first_name` AS `first_name`,
  `merged`.`last_name` AS `last_name`,
  `merged`.`email` AS `email`,
  `merged`.`email_is_valid` AS `email_is_valid`,
  `merged`.`phone` AS `phone`,
  `merged`.`mobile_phone` AS `mobile_phone`,
  `merged`.`street` AS `street`,
  `merged`.`city` AS `city`,
  `merged`.`state` AS `state`,
  `merged`.`postal_code` AS `postal_code`,
  `merged`.`country` AS `country`,
  `merged`.`company` AS `company`,
  `merged`.`job_title` AS `job_title`,
  `merged`.`birth_date` AS `birth_date`,
  NOT `opt_outs`.`recipient_id` IS NULL AS `opted_out`,
  `merged`.`do_not_call` AS `do_not_call`,
  `merged`.`member_number` AS `member_number`,
  `merged`.`main_record_key` AS `main_record_key`,
  `merged`.`records` AS `records`,
  `merged`.`accounts` AS `accounts`,
  `merged`.`is_contact` AS `is_contact`,
  `merged`.`created_at` AS `created_at`,
  `merged`.`changed_at` AS `changed_at`,
  `merged`.`known_since` AS `known_since`
FROM `merged` AS `merged`
LEFT JOIN (
  SELECT DISTINCT
    `opt_outs`.`recipient_id` AS `recipient_id`
  FROM `campaign`.`opt_outs` AS `opt_outs`
) AS `opt_outs`
  ON `merged`.`recipient_id` = `opt_outs`.`recipient_id`;

-- duplicates
WITH RECURSIVE `main_records` AS (
  SELECT
    `records`.`record_no` AS `record_no`,
    `recipients`.`recipient_id` AS `recipient_id`
  FROM `campaign`.`recipients` AS `recipients`
  INNER JOIN `matching`.`records` AS `records`
    ON `recipients`.`main_record_key` = `records`.`record_key`
  WHERE
    `recipients`.`records` > 1
), `inside` AS (
  SELECT
    `kept`.`record_a` AS `a`,
    `kept`.`record_b` AS `b`,
    `kept`.`points` AS `points`
  FROM `matching`.`links` AS `kept`
  INNER JOIN `matching`.`clusters` AS `one`
    ON `kept`.`record_a` = `one`.`record_no`
  INNER JOIN `matching`.`clusters` AS `other`
    ON `kept`.`record_b` = `other`.`record_no`
  WHERE
    `one`.`cluster_no` = `other`.`cluster_no`
), `both_ways` AS (
  SELECT
    `inside`.`a` AS `a`,
    `inside`.`b` AS `b`,
    `inside`.`points` AS `points`
  FROM `inside` AS `inside`
  UNION ALL
  SELECT
    `inside`.`b` AS `a`,
    `inside`.`a` AS `b`,
    `inside`.`points` AS `points`
  FROM `inside` AS `inside`
), `begun` AS (
  SELECT
    `both_ways`.`a` AS `a`,
    `both_ways`.`b` AS `b`,
    CASE WHEN NOT `main_records`.`record_no` IS NULL THEN 0 END AS `v`
  FROM `both_ways` AS `both_ways`
  LEFT JOIN `main_records` AS `main_records`
    ON `both_ways`.`a` = `main_records`.`record_no`
), `nearest` AS (
  SELECT DISTINCT
    `depths`.`a` AS `node`,
    `depths`.`v` AS `depth`
  FROM (
    SELECT
      `paired`.`a` AS `a`,
      `paired`.`b` AS `b`,
      MIN(
        CASE
          WHEN `paired`.`v` IS NULL OR `paired`.`m` + 1 < `paired`.`v`
          THEN `paired`.`m` + 1
          ELSE `paired`.`v`
        END
      ) OVER (PARTITION BY `paired`.`a`) AS `v`
    FROM (
      SELECT
        `known`.`a` AS `a`,
        `known`.`b` AS `b`,
        `known`.`v` AS `v`,
        MIN(`known`.`v`) OVER (
          PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
        ) AS `m`
      FROM (
        SELECT
          `paired`.`a` AS `a`,
          `paired`.`b` AS `b`,
          MIN(
            CASE
              WHEN `paired`.`v` IS NULL OR `paired`.`m` + 1 < `paired`.`v`
              THEN `paired`.`m` + 1
              ELSE `paired`.`v`
            END
          ) OVER (PARTITION BY `paired`.`a`) AS `v`
        FROM (
          SELECT
            `known`.`a` AS `a`,
            `known`.`b` AS `b`,
            `known`.`v` AS `v`,
            MIN(`known`.`v`) OVER (
              PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
            ) AS `m`
          FROM (
            SELECT
              `paired`.`a` AS `a`,
              `paired`.`b` AS `b`,
              MIN(
                CASE
                  WHEN `paired`.`v` IS NULL OR `paired`.`m` + 1 < `paired`.`v`
                  THEN `paired`.`m` + 1
                  ELSE `paired`.`v`
                END
              ) OVER (PARTITION BY `paired`.`a`) AS `v`
            FROM (
              SELECT
                `known`.`a` AS `a`,
                `known`.`b` AS `b`,
                `known`.`v` AS `v`,
                MIN(`known`.`v`) OVER (
                  PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                ) AS `m`
              FROM (
                SELECT
                  `paired`.`a` AS `a`,
                  `paired`.`b` AS `b`,
                  MIN(
                    CASE
                      WHEN `paired`.`v` IS NULL OR `paired`.`m` + 1 < `paired`.`v`
                      THEN `paired`.`m` + 1
                      ELSE `paired`.`v`
                    END
                  ) OVER (PARTITION BY `paired`.`a`) AS `v`
                FROM (
                  SELECT
                    `known`.`a` AS `a`,
                    `known`.`b` AS `b`,
                    `known`.`v` AS `v`,
                    MIN(`known`.`v`) OVER (
                      PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                    ) AS `m`
                  FROM (
                    SELECT
                      `paired`.`a` AS `a`,
                      `paired`.`b` AS `b`,
                      MIN(
                        CASE
                          WHEN `paired`.`v` IS NULL OR `paired`.`m` + 1 < `paired`.`v`
                          THEN `paired`.`m` + 1
                          ELSE `paired`.`v`
                        END
                      ) OVER (PARTITION BY `paired`.`a`) AS `v`
                    FROM (
                      SELECT
                        `known`.`a` AS `a`,
                        `known`.`b` AS `b`,
                        `known`.`v` AS `v`,
                        MIN(`known`.`v`) OVER (
                          PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                        ) AS `m`
                      FROM (
                        SELECT
                          `paired`.`a` AS `a`,
                          `paired`.`b` AS `b`,
                          MIN(
                            CASE
                              WHEN `paired`.`v` IS NULL OR `paired`.`m` + 1 < `paired`.`v`
                              THEN `paired`.`m` + 1
                              ELSE `paired`.`v`
                            END
                          ) OVER (PARTITION BY `paired`.`a`) AS `v`
                        FROM (
                          SELECT
                            `known`.`a` AS `a`,
                            `known`.`b` AS `b`,
                            `known`.`v` AS `v`,
                            MIN(`known`.`v`) OVER (
                              PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                            ) AS `m`
                          FROM (
                            SELECT
                              `paired`.`a` AS `a`,
                              `paired`.`b` AS `b`,
                              MIN(
                                CASE
                                  WHEN `paired`.`v` IS NULL OR `paired`.`m` + 1 < `paired`.`v`
                                  THEN `paired`.`m` + 1
                                  ELSE `paired`.`v`
                                END
                              ) OVER (PARTITION BY `paired`.`a`) AS `v`
                            FROM (
                              SELECT
                                `known`.`a` AS `a`,
                                `known`.`b` AS `b`,
                                `known`.`v` AS `v`,
                                MIN(`known`.`v`) OVER (
                                  PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                ) AS `m`
                              FROM (
                                SELECT
                                  `paired`.`a` AS `a`,
                                  `paired`.`b` AS `b`,
                                  MIN(
                                    CASE
                                      WHEN `paired`.`v` IS NULL OR `paired`.`m` + 1 < `paired`.`v`
                                      THEN `paired`.`m` + 1
                                      ELSE `paired`.`v`
                                    END
                                  ) OVER (PARTITION BY `paired`.`a`) AS `v`
                                FROM (
                                  SELECT
                                    `known`.`a` AS `a`,
                                    `known`.`b` AS `b`,
                                    `known`.`v` AS `v`,
                                    MIN(`known`.`v`) OVER (
                                      PARTITION BY CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`a` ELSE `known`.`b` END, CASE WHEN `known`.`a` < `known`.`b` THEN `known`.`b` ELSE `known`.`a` END
                                    ) AS `m`
                                  FROM (
                                    SELECT
                                      `begun`.`a` AS `a`,
                                      `begun`.`b` AS `b`,
                                      `begun`.`v` AS `v`
                                    FROM `begun` AS `begun`
                                  ) AS `known`
                                ) AS `paired`
                              ) AS `known`
                            ) AS `paired`
                          ) AS `known`
                        ) AS `paired`
                      ) AS `known`
                    ) AS `paired`
                  ) AS `known`
                ) AS `paired`
              ) AS `known`
            ) AS `paired`
          ) AS `known`
        ) AS `paired`
      ) AS `known`
    ) AS `paired`
  ) AS `depths`
), `parents` AS (
  SELECT
    `both_ways`.`a` AS `child`,
    `both_ways`.`b` AS `parent`,
    ROW_NUMBER() OVER (
      PARTITION BY `both_ways`.`a`
      ORDER BY `both_ways`.`points` DESC, `both_ways`.`b` NULLS LAST
    ) AS `place`
  FROM `both_ways` AS `both_ways`
  LEFT JOIN `main_records` AS `roots`
    ON `both_ways`.`a` = `roots`.`record_no`
  LEFT JOIN `nearest` AS `child`
    ON `both_ways`.`a` = `child`.`node`
  LEFT JOIN `nearest` AS `parent`
    ON `both_ways`.`b` = `parent`.`node`
  WHERE
    `roots`.`record_no` IS NULL
    AND (
      `child`.`depth` = `parent`.`depth` + 1 OR `child`.`depth` IS NULL
    )
)
SELECT
  `child`.`record_key` AS `record_key`,
  `links`.`recipient_id` AS `recipient_id`,
  `child`.`account` AS `account`,
  `child`.`object` AS `object`,
  `child`.`record_id` AS `record_id`,
  `parent`.`record_key` AS `merged_into_key`,
  `parent`.`account` AS `merged_into_account`,
  `parent`.`object` AS `merged_into_object`,
  `parent`.`record_id` AS `merged_into_id`,
  `kept`.`rule` AS `rule`,
  `pairs`.`points` AS `points`,
  CONCAT_WS(
    '; ',
    'given name ' || `pairs`.`given_level` || ': ' || REPLACE(CAST(`child`.`first_name` AS STRING), CHR(  10), ', ') || ' / ' || REPLACE(CAST(`parent`.`first_name` AS STRING), CHR(  10), ', '),
    'surname ' || `pairs`.`surname_level` || ': ' || REPLACE(CAST(`child`.`last_name` AS STRING), CHR(  10), ', ') || ' / ' || REPLACE(CAST(`parent`.`last_name` AS STRING), CHR(  10), ', '),
    'birth date ' || `pairs`.`birth_level` || ': ' || REPLACE(CAST(`child`.`birth_date` AS STRING), CHR(  10), ', ') || ' / ' || REPLACE(CAST(`parent`.`birth_date` AS STRING), CHR(  10), ', '),
    'email ' || `pairs`.`email_level` || ': ' || REPLACE(CAST(`child`.`email` AS STRING), CHR(  10), ', ') || ' / ' || REPLACE(CAST(`parent`.`email` AS STRING), CHR(  10), ', '),
    'phone ' || `pairs`.`phone_level` || ': ' || REPLACE(CAST(COALESCE(`child`.`phone`, `child`.`mobile_phone`) AS STRING), CHR(  10), ', ') || ' / ' || REPLACE(CAST(COALESCE(`parent`.`phone`, `parent`.`mobile_phone`) AS STRING), CHR(  10), ', '),
    'street ' || `pairs`.`street_level` || ': ' || REPLACE(CAST(`child`.`street` AS STRING), CHR(  10), ', ') || ' / ' || REPLACE(CAST(`parent`.`street` AS STRING), CHR(  10), ', '),
    'place ' || `pairs`.`area_level` || ': ' || REPLACE(
      CAST(CONCAT_WS(' ', `child`.`postal_code`, `child`.`city`) AS STRING),
      CHR(  10),
      ', '
    ) || ' / ' || REPLACE(
      CAST(CONCAT_WS(' ', `parent`.`postal_code`, `parent`.`city`) AS STRING),
      CHR(  10),
      ', '
    )
  ) AS `compared_values`
FROM `parents` AS `parents`
INNER JOIN `matching`.`records` AS `child`
  ON `parents`.`child` = `child`.`record_no`
INNER JOIN `matching`.`records` AS `parent`
  ON `parents`.`parent` = `parent`.`record_no`
INNER JOIN `matching`.`pairs` AS `pairs`
  ON LEAST(`parents`.`child`, `parents`.`parent`) = `pairs`.`record_a`
  AND GREATEST(`parents`.`child`, `parents`.`parent`) = `pairs`.`record_b`
INNER JOIN `matching`.`links` AS `kept`
  ON `pairs`.`record_a` = `kept`.`record_a` AND `pairs`.`record_b` = `kept`.`record_b`
INNER JOIN `campaign`.`recipient_links` AS `links`
  ON `child`.`record_key` = `links`.`record_key`
WHERE
  `parents`.`place` = 1;

-- export_dynamics_contact
WITH `held` AS (
  SELECT
    `links`.`recipient_id` AS `recipient_id`,
    `links`.`record_key` AS `record_key`,
    `records`.`member_number` AS `member_number`,
    BOOL_OR(`records`.`member_number` = `recipients`.`member_number`) OVER (PARTITION BY `links`.`recipient_id`) AS `is_held`,
    ROW_NUMBER() OVER (
      PARTITION BY `links`.`recipient_id`
      ORDER BY `records`.`created_at` ASC NULLS LAST, `links`.`record_key` NULLS LAST
    ) AS `place`
  FROM `campaign`.`recipient_links` AS `links`
  INNER JOIN `matching`.`records` AS `records`
    ON `links`.`record_key` = `records`.`record_key`
  INNER JOIN `campaign`.`recipients` AS `recipients`
    ON `links`.`recipient_id` = `recipients`.`recipient_id`
  WHERE
    `links`.`account` = 'dynamics' AND `links`.`object` = 'contact'
)
SELECT
  `links`.`record_id` AS `crm_id`,
  `links`.`recipient_id` AS `recipient_id`,
  CAST(COALESCE(`scores`.`score`, 0) AS DECIMAL(18, 1)) AS `score`,
  `scores`.`last_open_at` AS `last_open_at`,
  `recipients`.`opted_out` AS `opted_out`,
  CASE
    WHEN `held`.`member_number` IS NULL
    AND `held`.`place` = 1
    AND NOT COALESCE(`held`.`is_held`, FALSE)
    THEN `recipients`.`member_number`
    ELSE `held`.`member_number`
  END AS `member_number`
FROM `campaign`.`recipient_links` AS `links`
INNER JOIN `campaign`.`recipients` AS `recipients`
  ON `links`.`recipient_id` = `recipients`.`recipient_id`
INNER JOIN `held` AS `held`
  ON `links`.`record_key` = `held`.`record_key`
LEFT JOIN `campaign`.`engagement_scores` AS `scores`
  ON `links`.`recipient_id` = `scores`.`recipient_id`
WHERE
  `links`.`account` = 'dynamics'
  AND `links`.`object` = 'contact'
  AND NOT `links`.`is_read_only`
  AND (
    NOT `scores`.`recipient_id` IS NULL OR `recipients`.`opted_out`
  );

-- export_dynamics_lead
WITH `held` AS (
  SELECT
    `links`.`recipient_id` AS `recipient_id`,
    `links`.`record_key` AS `record_key`,
    `records`.`member_number` AS `member_number`,
    BOOL_OR(`records`.`member_number` = `recipients`.`member_number`) OVER (PARTITION BY `links`.`recipient_id`) AS `is_held`,
    ROW_NUMBER() OVER (
      PARTITION BY `links`.`recipient_id`
      ORDER BY `records`.`created_at` ASC NULLS LAST, `links`.`record_key` NULLS LAST
    ) AS `place`
  FROM `campaign`.`recipient_links` AS `links`
  INNER JOIN `matching`.`records` AS `records`
    ON `links`.`record_key` = `records`.`record_key`
  INNER JOIN `campaign`.`recipients` AS `recipients`
    ON `links`.`recipient_id` = `recipients`.`recipient_id`
  WHERE
    `links`.`account` = 'dynamics' AND `links`.`object` = 'lead'
)
SELECT
  `links`.`record_id` AS `crm_id`,
  `links`.`recipient_id` AS `recipient_id`,
  CAST(COALESCE(`scores`.`score`, 0) AS DECIMAL(18, 1)) AS `score`,
  `scores`.`last_open_at` AS `last_open_at`,
  `recipients`.`opted_out` AS `opted_out`,
  CASE
    WHEN `held`.`member_number` IS NULL
    AND `held`.`place` = 1
    AND NOT COALESCE(`held`.`is_held`, FALSE)
    THEN `recipients`.`member_number`
    ELSE `held`.`member_number`
  END AS `member_number`
FROM `campaign`.`recipient_links` AS `links`
INNER JOIN `campaign`.`recipients` AS `recipients`
  ON `links`.`recipient_id` = `recipients`.`recipient_id`
INNER JOIN `held` AS `held`
  ON `links`.`record_key` = `held`.`record_key`
LEFT JOIN `campaign`.`engagement_scores` AS `scores`
  ON `links`.`recipient_id` = `scores`.`recipient_id`
WHERE
  `links`.`account` = 'dynamics'
  AND `links`.`object` = 'lead'
  AND NOT `links`.`is_read_only`
  AND (
    NOT `scores`.`recipient_id` IS NULL OR `recipients`.`opted_out`
  );

-- export_salesforce_contact
WITH `held` AS (
  SELECT
    `links`.`recipient_id` AS `recipient_id`,
    `links`.`record_key` AS `record_key`,
    `records`.`member_number` AS `member_number`,
    BOOL_OR(`records`.`member_number` = `recipients`.`member_number`) OVER (PARTITION BY `links`.`recipient_id`) AS `is_held`,
    ROW_NUMBER() OVER (
      PARTITION BY `links`.`recipient_id`
      ORDER BY `records`.`created_at` ASC NULLS LAST, `links`.`record_key` NULLS LAST
    ) AS `place`
  FROM `campaign`.`recipient_links` AS `links`
  INNER JOIN `matching`.`records` AS `records`
    ON `links`.`record_key` = `records`.`record_key`
  INNER JOIN `campaign`.`recipients` AS `recipients`
    ON `links`.`recipient_id` = `recipients`.`recipient_id`
  WHERE
    `links`.`account` = 'salesforce' AND `links`.`object` = 'Contact'
)
SELECT
  `links`.`record_id` AS `crm_id`,
  `links`.`recipient_id` AS `recipient_id`,
  CAST(COALESCE(`scores`.`score`, 0) AS DECIMAL(18, 1)) AS `score`,
  `scores`.`last_open_at` AS `last_open_at`,
  `recipients`.`opted_out` AS `opted_out`,
  CASE
    WHEN `held`.`member_number` IS NULL
    AND `held`.`place` = 1
    AND NOT COALESCE(`held`.`is_held`, FALSE)
    THEN `recipients`.`member_number`
    ELSE `held`.`member_number`
  END AS `member_number`
FROM `campaign`.`recipient_links` AS `links`
INNER JOIN `campaign`.`recipients` AS `recipients`
  ON `links`.`recipient_id` = `recipients`.`recipient_id`
INNER JOIN `held` AS `held`
  ON `links`.`record_key` = `held`.`record_key`
LEFT JOIN `campaign`.`engagement_scores` AS `scores`
  ON `links`.`recipient_id` = `scores`.`recipient_id`
WHERE
  `links`.`account` = 'salesforce'
  AND `links`.`object` = 'Contact'
  AND NOT `links`.`is_read_only`
  AND (
    NOT `scores`.`recipient_id` IS NULL OR `recipients`.`opted_out`
  );

-- export_salesforce_lead
WITH `held` AS (
  SELECT
    `links`.`recipient_id` AS `recipient_id`,
    `links`.`record_key` AS `record_key`,
    `records`.`member_number` AS `member_number`,
    BOOL_OR(`records`.`member_number` = `recipients`.`member_number`) OVER (PARTITION BY `links`.`recipient_id`) AS `is_held`,
    ROW_NUMBER() OVER (
      PARTITION BY `links`.`recipient_id`
      ORDER BY `records`.`created_at` ASC NULLS LAST, `links`.`record_key` NULLS LAST
    ) AS `place`
  FROM `campaign`.`recipient_links` AS `links`
  INNER JOIN `matching`.`records` AS `records`
    ON `links`.`record_key` = `records`.`record_key`
  INNER JOIN `campaign`.`recipients` AS `recipients`
    ON `links`.`recipient_id` = `recipients`.`recipient_id`
  WHERE
    `links`.`account` = 'salesforce' AND `links`.`object` = 'Lead'
)
SELECT
  `links`.`record_id` AS `crm_id`,
  `links`.`recipient_id` AS `recipient_id`,
  CAST(COALESCE(`scores`.`score`, 0) AS DECIMAL(18, 1)) AS `score`,
  `scores`.`last_open_at` AS `last_open_at`,
  `recipients`.`opted_out` AS `opted_out`,
  CASE
    WHEN `held`.`member_number` IS NULL
    AND `held`.`place` = 1
    AND NOT COALESCE(`held`.`is_held`, FALSE)
    THEN `recipients`.`member_number`
    ELSE `held`.`member_number`
  END AS `member_number`
FROM `campaign`.`recipient_links` AS `links`
INNER JOIN `campaign`.`recipients` AS `recipients`
  ON `links`.`recipient_id` = `recipients`.`recipient_id`
INNER JOIN `held` AS `held`
  ON `links`.`record_key` = `held`.`record_key`
LEFT JOIN `campaign`.`engagement_scores` AS `scores`
  ON `links`.`recipient_id` = `scores`.`recipient_id`
WHERE
  `links`.`account` = 'salesforce'
  AND `links`.`object` = 'Lead'
  AND NOT `links`.`is_read_only`
  AND (
    NOT `scores`.`recipient_id` IS NULL OR `recipients`.`opted_out`
  );

-- unique_stg_salesforce_contact_record_key
SELECT
  `tested`.`record_key` AS `value`,
  COUNT(*) AS `copies`
FROM `staging`.`stg_salesforce_contact` AS `tested`
WHERE
  NOT `tested`.`record_key` IS NULL
GROUP BY
  `tested`.`record_key`
HAVING
  COUNT(*) > 1;

-- not_null_export_salesforce_contact_recipient_id
SELECT
  `tested`.`crm_id` AS `crm_id`,
  `tested`.`recipient_id` AS `recipient_id`,
  `tested`.`score` AS `score`,
  `tested`.`last_open_at` AS `last_open_at`,
  `tested`.`opted_out` AS `opted_out`,
  `tested`.`member_number` AS `member_number`
FROM `export`.`export_salesforce_contact` AS `tested`
WHERE
  `tested`.`recipient_id` IS NULL;

-- accepted_values_stg_salesforce_contact_account
SELECT
  `tested`.`account` AS `value`,
  COUNT(*) AS `copies`
FROM `staging`.`stg_salesforce_contact` AS `tested`
WHERE
  NOT `tested`.`account` IS NULL AND NOT `tested`.`account` IN ('salesforce')
GROUP BY
  `tested`.`account`;

-- relationships_export_salesforce_contact_recipient_id
SELECT
  `child`.`value` AS `value`
FROM (
  SELECT
    `tested`.`recipient_id` AS `value`
  FROM `export`.`export_salesforce_contact` AS `tested`
) AS `child`
WHERE
  NOT `child`.`value` IS NULL
  AND NOT EXISTS(
    SELECT
      1 AS `1`
    FROM `campaign`.`recipients` AS `parent`
    WHERE
      `parent`.`recipient_id` = `child`.`value`
  );

