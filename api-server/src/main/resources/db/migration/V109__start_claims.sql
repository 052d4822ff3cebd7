-- Set while a migration's workflow is being started, and for as long as nobody knows whether it was: nobody changes the migration meanwhile.
ALTER TABLE migration ADD COLUMN start_claimed_at timestamptz;
