"""Made-up secrets among real rows: planted here, looked for by the audit."""
