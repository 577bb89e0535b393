-- count_identities: how many libraries have an identity, and how many sources say so.
SELECT (SELECT count(*) FROM library_identity), (SELECT count(*) FROM library_identity_source)
