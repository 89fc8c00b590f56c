{{ export_rows('dynamics', 'lead') }}
