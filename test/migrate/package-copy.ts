import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A copy of what the package installs, to be changed. */
export interface PackageCopy {
  readonly dir: string;
  /** Replaces a file's text, or makes the file. */
  write(path: string, text: string): Promise<void>;
  /** Changes a file's text. */
  edit(path: string, change: (text: string) => string): Promise<void>;
  setVersion(version: string): Promise<void>;
}

/** Copies what a directory, by default this package, installs. */
export async function packageCopy(t: Test, from = root): Promise<PackageCopy> {
  const dir = await mkdtemp(join(tmpdir(), "daybook-package-"));
  t.teardown(() => rm(dir, { recursive: true }));
  await cp(join(from, "migrations"), join(dir, "migrations"), { recursive: true });
  await cp(join(from, "sql"), join(dir, "sql"), { recursive: true });
  await cp(join(from, "package.json"), join(dir, "package.json"));
  const write = (path: string, text: string) => writeFile(join(dir, path), text);
  const edit = async (path: string, change: (text: string) => string) => {
    const before = await readFile(join(dir, path), "utf8");
    const after = change(before);
    if (after === before) throw new Error(`${path} is as it was`);
    await write(path, after);
  };
  return {
    dir,
    write,
    edit,
    setVersion: (version) =>
      edit("package.json", (text) => text.replace(/"version": "[^"]*"/, `"version": "${version}"`)),
  };
}
