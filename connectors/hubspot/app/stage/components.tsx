/**
 * Plain HTML in place of `@hubspot/ui-extensions`, so that the card can be looked at in a browser without HubSpot, which alone
 * draws the real components. As much as the card uses, looking roughly alike. Each element is the one that HubSpot's component
 * is for assistive technology: buttons are buttons, labels belong to inputs.
 */
import { Children, type FormEvent, type ReactNode, useId, useState } from "react";

export { hubspot } from "./hubspot.ts";

interface Inner {
  readonly children?: ReactNode;
}

interface FlexProps extends Inner {
  readonly direction?: "row" | "column";
  readonly gap?: string;
  readonly align?: string;
  readonly wrap?: boolean;
}

const gaps: Readonly<Record<string, string>> = { "extra-small": "4px", small: "8px", medium: "14px", large: "28px" };

export function Flex({ direction = "row", gap = "", align, wrap, children }: FlexProps) {
  const style = {
    display: "flex",
    flexDirection: direction,
    gap: gaps[gap] ?? 0,
    alignItems: align ?? (direction === "row" ? "flex-start" : "stretch"),
    flexWrap: wrap ? ("wrap" as const) : ("nowrap" as const),
  };
  return <div style={style}>{children}</div>;
}

interface BoxProps extends Inner {
  readonly flex?: "initial" | "auto" | "none" | number;
}

export function Box({ flex, children }: BoxProps) {
  return <div style={flex === undefined ? {} : { flex: flex === "initial" ? "0 1 auto" : flex }}>{children}</div>;
}

interface TextProps extends Inner {
  readonly variant?: string;
  readonly format?: { readonly fontWeight?: string };
}

export function Text({ variant, format, children }: TextProps) {
  const bold = format?.fontWeight === "bold";
  return (
    <span className={variant === "microcopy" ? "microcopy" : "text"} style={bold ? { fontWeight: 600 } : {}}>
      {children}
    </span>
  );
}

export function Heading({ children }: Inner) {
  return <h2>{children}</h2>;
}

export function Link({ href, children }: Inner & { readonly href: string }) {
  return <a href={href}>{children}</a>;
}

export function List({ children }: Inner & { readonly variant?: string }) {
  return (
    <ul>
      {Children.toArray(children).map((child, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the items are only wrapped, they keep their own keys inside.
        <li key={index}>{child}</li>
      ))}
    </ul>
  );
}

export function Divider() {
  return <hr />;
}

export function StatusTag({ variant = "default", children }: Inner & { readonly variant?: string }) {
  return <span className={`tag ${variant}`}>{children}</span>;
}

export function Statistics({ children }: Inner) {
  return <dl className="statistics">{children}</dl>;
}

export function StatisticsItem({ label, number }: { readonly label: string; readonly number: string | number }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{number}</dd>
    </div>
  );
}

export function DescriptionList({ children }: Inner & { readonly direction?: string }) {
  return <dl className="described">{children}</dl>;
}

export function DescriptionListItem({ label, children }: Inner & { readonly label: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

interface AccordionProps extends Inner {
  readonly title: string;
  readonly defaultOpen?: boolean;
  readonly size?: string;
}

export function Accordion({ title, defaultOpen = false, children }: AccordionProps) {
  const [open, setOpen] = useState(defaultOpen);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}

interface AlertProps extends Inner {
  readonly title: string;
  readonly variant?: string;
}

export function Alert({ title, variant = "info", children }: AlertProps) {
  return (
    <div className={`alert ${variant}`} role={variant === "danger" || variant === "warning" ? "alert" : "status"}>
      <b>{title}</b> {children}
    </div>
  );
}

export function EmptyState({ title, children }: Inner & { readonly title: string; readonly layout?: string }) {
  return (
    <div className="state">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function ErrorState({ title, children }: Inner & { readonly title: string; readonly type?: string }) {
  return (
    <div className="state" role="alert">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

interface SpinnerProps {
  readonly label: string;
  readonly showLabel?: boolean;
  readonly layout?: string;
}

export function LoadingSpinner({ label }: SpinnerProps) {
  return (
    <div role="status" className="microcopy">
      {label} …
    </div>
  );
}

interface ButtonProps extends Inner {
  readonly type?: "button" | "submit";
  readonly variant?: string;
  readonly size?: string;
  readonly disabled?: boolean;
  readonly loading?: boolean;
  readonly onClick?: () => void;
}

export function Button({ type = "button", variant = "secondary", disabled = false, onClick, children }: ButtonProps) {
  return (
    <button type={type} className={variant} disabled={disabled} onClick={() => onClick?.()}>
      {children}
    </button>
  );
}

export function LoadingButton({ loading = false, disabled = false, ...rest }: ButtonProps) {
  return <Button {...rest} disabled={disabled || loading} />;
}

interface FormProps extends Inner {
  readonly preventDefault?: boolean;
  readonly onSubmit?: () => void;
}

export function Form({ onSubmit, children }: FormProps) {
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSubmit?.();
  };
  return <form onSubmit={submit}>{children}</form>;
}

interface InputProps {
  readonly label: string;
  readonly name: string;
  readonly required?: boolean;
  readonly error?: boolean;
  readonly validationMessage?: string;
}

function Labelled({
  label,
  error,
  validationMessage,
  input,
}: InputProps & { readonly input: (id: string) => ReactNode }) {
  const id = useId();
  return (
    <p className="input">
      <label htmlFor={id}>{label}</label>
      {input(id)}
      {error && validationMessage !== undefined ? <span role="alert">{validationMessage}</span> : null}
    </p>
  );
}

interface SelectProps extends InputProps {
  readonly options: readonly { readonly label: string; readonly value: string }[];
  readonly value?: string;
  readonly onChange: (value: string) => void;
}

export function Select({ options, value, onChange, ...rest }: SelectProps) {
  const input = (id: string) => (
    <select id={id} value={value ?? ""} onChange={(event) => onChange(event.target.value)}>
      <option value="" disabled />
      {options.map((option) => (
        <option key={option.value} value={option.value}>
          {option.label}
        </option>
      ))}
    </select>
  );
  return <Labelled {...rest} input={input} />;
}

interface TextAreaProps extends InputProps {
  readonly maxLength?: number;
  readonly rows?: number;
  readonly onInput?: (value: string) => void;
  readonly onChange?: (value: string) => void;
}

export function TextArea({ maxLength, rows, onInput, ...rest }: TextAreaProps) {
  const input = (id: string) => (
    <textarea id={id} maxLength={maxLength} rows={rows} onInput={(event) => onInput?.(event.currentTarget.value)} />
  );
  return <Labelled {...rest} input={input} />;
}

interface DateInputProps extends InputProps {
  /** Months count from 0, as HubSpot's do. */
  readonly onChange: (day: { readonly year: number; readonly month: number; readonly date: number }) => void;
}

export function DateInput({ onChange, ...rest }: DateInputProps) {
  const told = (value: string) => {
    const [year, month, date] = value.split("-").map(Number);
    if (year !== undefined && month !== undefined && date !== undefined) onChange({ year, month: month - 1, date });
  };
  return (
    <Labelled {...rest} input={(id) => <input id={id} type="date" onChange={(event) => told(event.target.value)} />} />
  );
}

interface TimeInputProps extends InputProps {
  readonly value?: { readonly hours: number; readonly minutes: number };
  readonly onChange: (time: { readonly hours: number; readonly minutes: number }) => void;
}

export function TimeInput({ value, onChange, ...rest }: TimeInputProps) {
  const two = (part: number) => String(part).padStart(2, "0");
  const told = (text: string) => {
    const [hours, minutes] = text.split(":").map(Number);
    if (hours !== undefined && minutes !== undefined) onChange({ hours, minutes });
  };
  const shown = value === undefined ? "" : `${two(value.hours)}:${two(value.minutes)}`;
  return (
    <Labelled
      {...rest}
      input={(id) => <input id={id} type="time" value={shown} onChange={(event) => told(event.target.value)} />}
    />
  );
}
