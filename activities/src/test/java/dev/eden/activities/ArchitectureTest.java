package dev.eden.activities;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The directions of the side effects. */
@AnalyzeClasses(packages = "dev.eden.activities", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule DIRECTIONS = noClasses()
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    "io.dropwizard..", "jakarta..", "dev.eden.api..", "dev.eden.demo..", "dev.eden.embedded..")
            .because(
                    "activities use workflows and the public API of the proxy; who composes them is not their business");

    @ArchTest
    static final ArchRule PACKAGES_HAVE_NO_CYCLES = slices().matching("dev.eden.activities.(*)..")
            .should()
            .beFreeOfCycles()
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule LOGS_INSTEAD_OF_PRINTING =
            noClasses().should().accessField(System.class, "out").because("only the command line prints");
}
