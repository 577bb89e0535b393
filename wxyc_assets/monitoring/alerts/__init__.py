"""The alert outbox: alerts are stored in PostgreSQL first, sent to Sentry once, and closed when they recover."""
