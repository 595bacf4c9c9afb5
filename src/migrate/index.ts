export { checkMigrations, type MigrateOptions, type MigrateReport, type MigrationStatus, migrate } from "./migrate.ts";
export { type UninstallOptions, type UninstallReport, uninstall } from "./uninstall.ts";
