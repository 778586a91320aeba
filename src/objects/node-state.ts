/**
 * The node of one identity object as this incarnation knows it: loaded once, changed in memory, saved in one turn. What lies
 * only in memory between saves is what can be asked for again (see `identity.ts`).
 */
import { isFinal } from "../resolve/erase.ts";
import type { Alias, LogEntry, Node, Root, Tombstone } from "../resolve/node.ts";
import type { IdentityStore } from "./identity-store.ts";

export class NodeState {
  readonly store: IdentityStore;
  /** The ledger does not show yet what is here. */
  projectDue = false;
  /** Counts on when the root that was here is none any more: what was asked for it says nothing of one that comes later. */
  life = 0;
  #node: Node | null = null;
  #unsaved = false;

  constructor(store: IdentityStore) {
    this.store = store;
  }

  load(): Node {
    this.#node ??= this.store.load();
    return this.#node;
  }

  root(): Root | null {
    const node = this.load();
    return node.role === "root" ? node : null;
  }

  /** Changes of the state that lie only in memory and are saved at the next quiet moment. */
  get unsaved(): boolean {
    return this.#unsaved;
  }

  get isAheadOfLedger(): boolean {
    const root = this.root();
    return root !== null && !isFinal(root) && root.version > root.projected.version;
  }

  /** In memory, to be saved with whatever comes next. */
  change(root: Root): void {
    if (this.#node === root) return;
    this.#node = root;
    this.#unsaved = true;
  }

  /** In memory, and nothing to save: the disk has it, or can be asked for it again. */
  know(node: Node): void {
    this.#node = node;
  }

  /**
   * On disk with the signal that it took in; false, and nothing changed, when that one is known. What was decided on a state that lies
   * only in memory is saved with that state: replayed over an older one it would mean something else (G10).
   */
  append(entry: LogEntry, signalJson: string, root: Root): boolean {
    const withSnapshot = this.#unsaved && entry.answer !== undefined;
    if (!this.store.append(entry, signalJson, root, withSnapshot)) return false;
    this.#node = root;
    if (withSnapshot) this.#unsaved = false;
    return true;
  }

  /** On disk before anything of it leaves; with log rows that came from elsewhere. */
  save(root: Root, entries: readonly LogEntry[] = []): void {
    this.store.save(root, entries);
    this.#node = root;
    this.#unsaved = false;
  }

  saveAlias(alias: Alias): void {
    this.store.saveAlias(alias);
    this.#node = alias;
    this.life++;
    this.#unsaved = false;
  }

  saveErased(node: Tombstone | null): void {
    this.store.saveErased(node);
    this.#node = node ?? { role: "unused" };
    this.life++;
    this.#unsaved = false;
    this.projectDue = false;
  }

  saveSplit(root: Root, leaving: readonly string[]): void {
    this.store.saveSplit(root, leaving);
    this.#node = root;
    this.#unsaved = false;
  }

  saveParted(root: Root): void {
    this.store.saveParted(root);
    this.#node = root;
    this.#unsaved = false;
  }
}
