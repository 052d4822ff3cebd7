package dev.eden.activities.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import javax.net.ssl.SSLHandshakeException;
import org.junit.jupiter.api.Test;

class ConnectFailureTest {
    private static final Endpoint OLD = new Endpoint("old", "redis", "db", 6379, true, null);

    @Test
    void theReasonIsSaidAndTheAddressIsNot() {
        assertThat(why(new ConnectException("Connection refused"))).isEqualTo("Connection refused");
        assertThat(why(new UnknownHostException("db"))).isEqualTo("its host name can't be resolved");
        assertThat(why(new SocketTimeoutException("db:6379"))).isEqualTo("no answer in time");
        assertThat(why(new SSLHandshakeException("No name matching db found"))).isEqualTo("No name matching old found");
        assertThat(why(new IOException("db:6379 closed my_db and db-2"))).isEqualTo("old closed my_db and db-2");
        assertThat(why(new IOException())).isEqualTo("IOException");
    }

    @Test
    void whatServersSayOfEachOtherHasNoAddress() {
        assertThat(ConnectFailure.withoutNamed("could not connect to the publisher: connection to server at"
                        + " \"db.internal\" (10.1.2.3), port 5432 failed: FATAL: no pg_hba.conf entry for replication"
                        + " connection from host \"10.9.8.7\", user \"eden_m1\", no encryption"))
                .isEqualTo("could not connect to the publisher: connection to server at (not shown) failed: FATAL: no"
                        + " pg_hba.conf entry for replication connection from host (not shown), user \"eden_m1\","
                        + " no encryption");
        assertThat(ConnectFailure.withoutNamed("could not translate host name \"db.internal\" to address: unknown"))
                .isEqualTo("could not translate host name (not shown) to address: unknown");
    }

    private static String why(IOException thrown) {
        return ConnectFailure.why(OLD, thrown);
    }
}
