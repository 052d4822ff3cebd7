package dev.eden.embedded;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The directions of the embedded servers. */
@AnalyzeClasses(packages = "dev.eden.embedded", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule DIRECTIONS = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.netty..",
                    "io.dropwizard..",
                    "software.amazon..",
                    "com.amazonaws..",
                    "java.sql..",
                    "javax.sql..",
                    "org.jdbi..",
                    "org.postgresql..",
                    "dev.eden.workflows..",
                    "dev.eden.proxy..",
                    "dev.eden.activities..",
                    "dev.eden.api..",
                    "dev.eden.demo..")
            .because("starting servers needs nothing of Eden");

    @ArchTest
    static final ArchRule LOGS_INSTEAD_OF_PRINTING =
            noClasses().should().accessField(System.class, "out").because("only the command line prints");
}
