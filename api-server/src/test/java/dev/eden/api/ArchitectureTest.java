package dev.eden.api;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The composition root may use every module; these rules are about itself. */
@AnalyzeClasses(packages = "dev.eden.api", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule PACKAGES_HAVE_NO_CYCLES =
            slices().matching("dev.eden.api.(*)..").should().beFreeOfCycles().allowEmptyShould(true);

    @ArchTest
    static final ArchRule LOGS_INSTEAD_OF_PRINTING = noClasses()
            .that()
            .resideOutsideOfPackage("dev.eden.api.cli..")
            .and()
            .doNotHaveFullyQualifiedName("dev.eden.api.Eden")
            .should()
            .accessField(System.class, "out")
            .because("only the command line prints");
}
