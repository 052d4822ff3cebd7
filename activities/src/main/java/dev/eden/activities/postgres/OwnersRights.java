package dev.eden.activities.postgres;

/**
 * With the rights of a relation's owner and no more: checks, domains, indexes and views may call functions that anybody wrote, and Eden's login may do
 * everything. Inside a function with its definer's rights nobody can take another role (CREATE FUNCTION, "Writing SECURITY DEFINER Functions Safely"), not
 * even back. Inside a transaction only, which takes the function with it where the statement fails.
 */
public final class OwnersRights {
    private OwnersRights() {}

    /**
     * @param function to be made for it and dropped, with its schema, quoted
     * @param path a search path, quoted; in force for the statement alone
     */
    public static void execute(PostgresSession session, String function, String owner, String path, String statement) {
        session.execute("CREATE FUNCTION " + function
                + "(statement text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = " + path
                + " AS 'BEGIN EXECUTE statement; END'");
        session.execute("ALTER FUNCTION " + function + "(text) OWNER TO " + Sql.name(owner));
        session.text("SELECT " + function + "(?)::text", statement);
        session.execute("DROP FUNCTION " + function + "(text)");
    }
}
