package dev.eden.demo.postgres;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Properties;

/** Where the application connects, and as whom. */
final class Logins {
    private final List<String> urls;
    private final String password;

    /** @param urls {@code jdbc:postgresql://host:port/database}, one per address */
    Logins(List<String> urls, String password) {
        this.urls = List.copyOf(urls);
        this.password = password;
    }

    /** The ways in which applications use the driver. */
    enum Style {
        /** Every statement is prepared on the server, under a name, from its first use on. */
        NAMED,
        /** The driver's own habit: named from the fifth use on. */
        DEFAULT,
        /** The simple protocol. */
        SIMPLE,
        /** The extended protocol with unnamed statements only. */
        UNNAMED
    }

    /** Blocks until logged in. */
    Connection open(int address, Style style, String name) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", AppSchema.USER);
        properties.setProperty("password", password);
        properties.setProperty("sslmode", "disable");
        properties.setProperty("gssEncMode", "disable");
        properties.setProperty("ApplicationName", name);
        properties.setProperty("connectTimeout", "30");
        properties.setProperty("loginTimeout", "60");
        properties.setProperty("socketTimeout", "120");
        switch (style) {
            case NAMED -> properties.setProperty("prepareThreshold", "1");
            case DEFAULT -> {}
            case SIMPLE -> properties.setProperty("preferQueryMode", "simple");
            case UNNAMED -> properties.setProperty("prepareThreshold", "0");
        }
        return DriverManager.getConnection(urls.get(address), properties);
    }
}
