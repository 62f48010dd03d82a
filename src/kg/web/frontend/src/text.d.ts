// Files that the build puts in as text.
declare module "text:*" {
  const content: string;
  export default content;
}
