package dev.eden.activities.postgres.replication;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LinkFailureTest {
    /** As PostgreSQL 14 to 18 say it. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            SSL error: certificate verify failed | TLS
            SSL error: tlsv1 alert protocol version | TLS
            root certificate file "/ca.pem" does not exist | TLS
            could not read root certificate file "/ca.pem": Permission denied | TLS
            server certificate for "a" does not match host name "b" | TLS
            could not open certificate file "/var/lib/postgresql/.postgresql/postgresql.crt": Permission denied | TLS
            server does not support SSL, but SSL was required | TLS
            weak sslmode "require" may not be used with sslrootcert=system (use "verify-full") | TLS
            could not translate host name "a" to address: Name or service not known | NETWORK
            Connection refused Is the server running on that host and accepting TCP/IP connections? | NETWORK
            SSL error: unexpected eof while reading | NETWORK
            SSL SYSCALL error: EOF detected | NETWORK
            FATAL:  password authentication failed for user "eden_m1_link" | OTHER
            FATAL:  connection requires a valid client certificate | OTHER
            FATAL:  no pg_hba.conf entry for host "10.0.0.1", user "u", database "d", SSL encryption | ADMISSION
            Kein Eintrag in pg_hba.conf für Host »10.0.0.1«, SSL error | ADMISSION
            FATAL:  pg_hba.conf rejects connection for host "10.0.0.1", user "u", database "d", no encryption | ADMISSION
            permission denied to create subscription | OTHER
            """)
    void isToldApartByItsWords(String said, LinkFailure expected) {
        assertThat(LinkFailure.of("ERROR: could not connect to the publisher: connection to server failed: " + said))
                .isEqualTo(expected);
    }
}
