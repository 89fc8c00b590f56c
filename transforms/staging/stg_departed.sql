{{ departed_rows('salesforce', 'Contact', source('salesforce', 'Contact'), 'Id', 'SystemModstamp', 'Email',
    'HasOptedOutOfEmail', 'false', 'null') }}
union all
{{ departed_rows('salesforce', 'Lead', source('salesforce', 'Lead'), 'Id', 'SystemModstamp', 'Email',
    'HasOptedOutOfEmail', 'false', 'null') }}
union all
{{ departed_rows('dynamics', 'contact', source('dynamics', 'contact'), 'contactid', 'modifiedon', 'emailaddress1',
    'donotbulkemail or donotemail', 'coalesce(merged, false)', 'masterid') }}
union all
{{ departed_rows('dynamics', 'lead', source('dynamics', 'lead'), 'leadid', 'modifiedon', 'emailaddress1',
    'donotbulkemail', 'false', 'null') }}
