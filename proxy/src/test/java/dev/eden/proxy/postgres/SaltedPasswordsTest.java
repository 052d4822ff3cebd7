package dev.eden.proxy.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.eden.proxy.Secret;
import io.netty.channel.DefaultEventLoop;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class SaltedPasswordsTest {
    private static final Scram.Salting MANY =
            new Scram.Salting(new Secret("pencil"), "W22ZaJ0SNY7soEsUEjb6gQ==", 600_000);

    @Test
    void theLoopServesOthersMeanwhileAndDerivesOnce() throws Exception {
        DefaultEventLoop loop = new DefaultEventLoop();
        try {
            BlockingQueue<String> done = new LinkedBlockingQueue<>();
            SaltedPasswords salted = new SaltedPasswords(loop);
            loop.execute(() -> {
                for (String login : List.of("first", "second")) {
                    salted.derive(
                            MANY,
                            key -> done.add(login + (loop.inEventLoop() && key != null && key == salted.known(MANY))));
                }
            });
            loop.execute(() -> done.add("other"));
            assertThat(done.poll(60, TimeUnit.SECONDS)).isEqualTo("other");
            assertThat(done.poll(60, TimeUnit.SECONDS)).isEqualTo("firsttrue");
            assertThat(done.poll(60, TimeUnit.SECONDS)).isEqualTo("secondtrue");
        } finally {
            loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }

    @Test
    void aSaltThatIsNoneIsToldToo() throws Exception {
        DefaultEventLoop loop = new DefaultEventLoop();
        try {
            BlockingQueue<Boolean> none = new LinkedBlockingQueue<>();
            SaltedPasswords salted = new SaltedPasswords(loop);
            loop.execute(() ->
                    salted.derive(new Scram.Salting(new Secret("pencil"), "!", 4096), key -> none.add(key == null)));
            assertThat(none.poll(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        }
    }
}
