"""What a person must hear of: kept in PostgreSQL first, told to Sentry once, closed when it has recovered."""
