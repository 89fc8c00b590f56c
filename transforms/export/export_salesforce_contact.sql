{{ export_rows('salesforce', 'Contact') }}
