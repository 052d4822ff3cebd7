package dev.eden.api.mutants;

import dev.eden.api.route.StoreChanges;
import dev.eden.api.store.Database;
import dev.eden.embedded.EmbeddedPostgres;
import dev.eden.proxy.Secret;
import dev.eden.proxy.TlsFiles;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.Properties;

/**
 * Two servers, a migration between them and a proxy with each pooling, for docs/drivers/matrix.sh: {@code FROM TO CERTIFICATE KEY SERVER-KEY}, the last
 * the same key where the servers' user owns it. Says {@code NAME PORT} for source, target, transaction and session; then each line of input flips and is
 * answered with the outcome, and the end of the input is the end.
 */
final class DriversMain {
    private DriversMain() {}

    public static void main(String[] arguments) throws Exception {
        PostgresWorld.Ports ports = new PostgresWorld.Ports();
        ports.from = Integer.parseInt(arguments[0]);
        ports.to = Integer.parseInt(arguments[1]);
        ports.tls = new TlsFiles(Path.of(arguments[2]), Path.of(arguments[3]));
        ports.prepare = (source, target) -> {
            for (String server : new String[] {source, target}) {
                try (Connection at = connect(server);
                        Statement statement = at.createStatement()) {
                    try (ResultSet file = statement.executeQuery("SHOW hba_file")) {
                        file.next();
                        Path rules = Path.of(file.getString(1));
                        Files.writeString(rules, "host all old 127.0.0.1/32 md5\n" + Files.readString(rules));
                    }
                    statement.execute("ALTER SYSTEM SET ssl_cert_file = '" + arguments[2] + "'");
                    statement.execute("ALTER SYSTEM SET ssl_key_file = '" + arguments[4] + "'");
                    statement.execute("ALTER SYSTEM SET ssl = on");
                    statement.execute("SELECT pg_reload_conf()");
                }
            }
            try (Connection at = connect(source);
                    Statement statement = at.createStatement()) {
                statement.execute("CREATE ROLE drivers LOGIN PASSWORD 'drivers'");
                statement.execute("GRANT CREATE ON DATABASE eden TO drivers");
                statement.execute("CREATE TABLE public.work (driver text, n int, PRIMARY KEY (driver, n))");
                statement.execute("GRANT ALL ON public.work TO drivers");
                statement.execute("SET password_encryption = md5");
                statement.execute("CREATE ROLE old LOGIN PASSWORD 'elderly'");
            }
        };
        try (EmbeddedPostgres postgres = EmbeddedPostgres.start();
                Database database = Database.open(
                        Database.Settings.of(postgres.jdbcUrl(), postgres.user(), new Secret(postgres.password())));
                StoreChanges changes = new StoreChanges(postgres.jdbcUrl(), login(postgres));
                PostgresWorld world = new PostgresWorld(database, changes, ports)) {
            System.out.println("source " + world.port("source"));
            System.out.println("target " + world.port("target"));
            System.out.println("transaction " + world.proxyPorts().getFirst());
            System.out.println("session " + world.proxyPorts().getLast());
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
            boolean forward = true;
            while (in.readLine() != null) {
                world.awaitReady(forward);
                System.out.println("flip " + world.attempt(forward).outcome());
                forward = !forward;
            }
        }
        System.exit(0);
    }

    private static Properties login(EmbeddedPostgres postgres) {
        Properties properties = new Properties();
        properties.setProperty("user", postgres.user());
        properties.setProperty("password", postgres.password());
        return properties;
    }

    private static Connection connect(String server) throws Exception {
        URI uri = URI.create(server);
        String[] login = uri.getUserInfo().split(":", 2);
        return DriverManager.getConnection(
                "jdbc:postgresql://" + uri.getHost() + ":" + uri.getPort() + uri.getPath(), login[0], login[1]);
    }
}
