package dev.eden.workflows;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;

/** The directions of the language of the system, and the determinism of its workflows. */
@AnalyzeClasses(packages = "dev.eden.workflows", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule DIRECTIONS = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.netty..",
                    "software.amazon..",
                    "com.amazonaws..",
                    "java.sql..",
                    "javax.sql..",
                    "org.jdbi..",
                    "org.postgresql..",
                    "jakarta..",
                    "io.dropwizard..",
                    "dev.eden.proxy..",
                    "dev.eden.activities..",
                    "dev.eden.api..",
                    "dev.eden.demo..",
                    "dev.eden.embedded..")
            .because("workflows are the language of the system: JDK, Temporal SDK, JSpecify");

    @ArchTest
    static final ArchRule USES_LITTLE = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "dev.eden.workflows..",
                    "java..",
                    "io.temporal..",
                    "com.fasterxml.jackson..",
                    "org.jspecify..",
                    "org.slf4j..");

    @ArchTest
    static final ArchRule WORKFLOWS_ARE_DETERMINISTIC = noClasses()
            .should()
            .callMethod(System.class, "currentTimeMillis")
            .orShould()
            .callMethod(System.class, "nanoTime")
            .orShould()
            .callMethod(Instant.class, "now")
            .orShould()
            .callMethod(UUID.class, "randomUUID")
            .orShould()
            .callMethod(Math.class, "random")
            .orShould()
            .callMethod(Thread.class, "sleep", long.class)
            .orShould()
            .callMethod(Thread.class, "sleep", Duration.class)
            .orShould()
            .dependOnClassesThat()
            .belongToAnyOf(Random.class, ThreadLocalRandom.class, Executors.class)
            .because("a replay must take the same way; the SDK's Workflow class has these");

    @ArchTest
    static final ArchRule PACKAGES_HAVE_NO_CYCLES = slices().matching("dev.eden.workflows.(*)..")
            .should()
            .beFreeOfCycles()
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule LOGS_INSTEAD_OF_PRINTING =
            noClasses().should().accessField(System.class, "out").because("only the command line prints");

    @ArchTest
    static final ArchRule SIDE_EFFECTS_BELONG_TO_ACTIVITIES = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage("java.net..", "java.nio.file..", "java.io..")
            .because("side effects belong to activities");

    @ArchTest
    static final ArchRule NO_THREADS_IN_WORKFLOW_CODE = noClasses()
            .that()
            .resideOutsideOfPackage("dev.eden.workflows.worker..")
            .should()
            .dependOnClassesThat()
            .areAssignableTo(Thread.class)
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(Executor.class)
            .orShould()
            .dependOnClassesThat()
            .areAssignableTo(Clock.class)
            .because("the SDK runs workflow code on its own coroutines and by its own clock");

    @ArchTest
    static final ArchRule NO_SECRET_IN_A_HISTORY = classes()
            .that()
            .areRecords()
            .should(new ArchCondition<>("have no component for a credential or an address") {
                @Override
                public void check(JavaClass type, ConditionEvents events) {
                    type.getFields().stream()
                            .filter(field -> field.getName()
                                    .toLowerCase(Locale.ROOT)
                                    .matches(".*(password|secret|credential|token|uri|address).*"))
                            .forEach(field -> events.add(SimpleConditionEvent.violated(
                                    field, field.getFullName() + " would be readable in a history")));
                }
            });
}
