{{ export_rows('salesforce', 'Lead') }}
