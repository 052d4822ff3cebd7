package dev.eden.api.notify;

import dev.eden.api.Version;
import dev.eden.api.config.Receiver;
import dev.eden.proxy.Secret;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.HexFormat;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/** One request to a receiver. Follows no redirect: where it leads, nobody has said. Nothing of its address or its answer's body is ever told. */
final class Delivery implements AutoCloseable {
    static final String SIGNATURE = "Eden-Signature";

    private final Duration timeout;
    private @Nullable HttpClient http;

    Delivery(Duration timeout) {
        this.timeout = timeout;
    }

    /**
     * What came of it.
     *
     * @param status null: there was no answer
     * @param problem why it is not taken, for people; null: it is
     */
    record Outcome(@Nullable Integer status, @Nullable String problem) {
        boolean taken() {
            return problem == null;
        }
    }

    /** Until it is answered, or time is over. Throws where the thread is interrupted; then nobody knows whether it arrived. */
    Outcome post(Receiver receiver, String body) throws InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create(receiver.url().reveal()))
                .timeout(timeout)
                .header("Content-Type", "application/json")
                .header("User-Agent", "eden/" + Version.EDEN)
                .POST(HttpRequest.BodyPublishers.ofString(body));
        Secret secret = receiver.secret();
        if (secret != null) {
            request.header(SIGNATURE, signature(secret, Instant.now().getEpochSecond(), body));
        }
        CompletableFuture<HttpResponse<Void>> answer =
                client().sendAsync(request.build(), HttpResponse.BodyHandlers.discarding());
        try {
            // The request's own time ends with the answer's head.
            int status = answer.get(timeout.toMillis(), TimeUnit.MILLISECONDS).statusCode();
            return new Outcome(status, status / 100 == 2 ? null : "it answers with status " + status);
        } catch (TimeoutException e) {
            return new Outcome(null, "it does not answer within " + timeout.toMillis() / 1_000.0 + " s");
        } catch (ExecutionException e) {
            // The message may hold the address.
            return new Outcome(null, "it can't be asked: " + root(e).getClass().getSimpleName());
        } finally {
            answer.cancel(true);
        }
    }

    /** {@code t=SECONDS,v1=HEX}: HMAC-SHA-256, under the receiver's secret, of the seconds, a dot and the body. */
    static String signature(Secret secret, long seconds, String body) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.reveal().getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
            byte[] code = mac.doFinal((seconds + "." + body).getBytes(StandardCharsets.UTF_8));
            return "t=" + seconds + ",v1=" + HexFormat.of().formatHex(code);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HMAC-SHA-256 is not available", e);
        }
    }

    private static Throwable root(Throwable thrown) {
        Throwable cause = thrown;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    /** Made where somebody is told something: it costs a start more than all the rest here. */
    private synchronized HttpClient client() {
        HttpClient made = http;
        if (made == null) {
            made = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .connectTimeout(timeout)
                    .build();
            http = made;
        }
        return made;
    }

    @Override
    public synchronized void close() {
        HttpClient made = http;
        if (made != null) {
            made.shutdownNow();
        }
    }
}
