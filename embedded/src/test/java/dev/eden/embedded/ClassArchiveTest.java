package dev.eden.embedded;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ClassArchiveTest {
    @Test
    void mergesTheListsOfSeveralJvms() {
        assertThat(ClassArchive.merge(List.of(
                        "# NOTE: Do not modify this file.",
                        "java/lang/Object id: 0",
                        "dev/eden/api/Eden id: 7",
                        "@cp java/lang/Object 1 3 7",
                        "@lambda-proxy dev/eden/api/Eden run ()Ljava/lang/Runnable;",
                        "plugin/Thing id: 8 super: 0 source: file:/plugin.jar",
                        "java/lang/Object id: 0",
                        "dev/eden/api/EdenProxy id: 3",
                        "dev/eden/api/Eden id: 9",
                        "dev/eden/api/cut-o")))
                .containsExactly(
                        "java/lang/Object",
                        "dev/eden/api/Eden",
                        "@lambda-proxy dev/eden/api/Eden run ()Ljava/lang/Runnable;",
                        "dev/eden/api/EdenProxy");
    }

    @Test
    void withoutALauncherThatNamesAnArchiveNothingChanges() {
        assertThat(ClassArchive.flags("dev.eden.api.Eden", List.of("server"))).isEmpty();
    }
}
