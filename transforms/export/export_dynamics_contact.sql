{{ export_rows('dynamics', 'contact') }}
