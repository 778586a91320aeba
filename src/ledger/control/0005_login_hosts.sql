-- Where the person logs in, where that is not the deployment's own: a sandbox, or a domain of the organisation's.
ALTER TABLE oauth_states ADD COLUMN login_url TEXT;
