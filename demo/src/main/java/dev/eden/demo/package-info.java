@NullMarked
package dev.eden.demo;

import org.jspecify.annotations.NullMarked;
